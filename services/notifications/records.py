"""What support reads: this service's own account of one order. A router and its queries."""

from uuid import UUID

from fastapi import APIRouter

from chassis.db import Database
from chassis.operations import serves
from chassis.records import MOST_OF_EACH, Noted, facts_about, records_of
from chassis.statements import Row, text
from services.notifications.operations import GET_RECORDS, NotificationsRecords

_OUTCOMES = {"sent": "mail_sent", "put_off": "mail_put_off", "given_up": "mail_given_up"}


def make_records_router(database: Database) -> APIRouter:
    """The account of one order."""
    router = APIRouter(tags=["records"])

    @serves(router, GET_RECORDS)
    async def records_of_order(order_id: UUID) -> NotificationsRecords:
        """All that happened to an order's mails, as this service has recorded it; nothing for one that is not known here."""
        parameters = {"order_id": order_id, "most": MOST_OF_EACH}
        async with database.reader() as reads:
            mails = (await reads.execute(_MAILS, parameters, name="records.mails")).mappings().all()
            tries = (await reads.execute(_TRIES, parameters, name="records.tries")).mappings().all()
            facts = await facts_about(reads, [order_id])
        noted = [Noted(row["created_at"], "mail_noted", row["traceparent"], {"kind": row["kind"]}) for row in mails]
        return records_of(NotificationsRecords, order_id, [*noted, *map(_tried, tries), *facts])

    return router


def _tried(row: Row) -> Noted:
    facts = {
        "kind": row["kind"],
        "attempt": row["attempt"],
        "reason": row["problem"],
        "until": row["again_at"],
    }
    return Noted(row["ended_at"], _OUTCOMES[row["outcome"]], row["traceparent"], facts)


_MAILS = text("""
    SELECT split_part(template, '/', 1) AS kind, created_at, traceparent FROM delivery
    WHERE order_id = :order_id ORDER BY created_at LIMIT :most
""")
_TRIES = text("""
    SELECT split_part(template, '/', 1) AS kind, attempt, outcome, tried.problem, again_at, tried.traceparent, ended_at
    FROM delivery JOIN work_attempt tried ON tried.key = CAST(delivery_id AS text) AND queue = 'notifications.send_email'
    WHERE order_id = :order_id AND ended_at IS NOT NULL ORDER BY ended_at LIMIT :most
""")
