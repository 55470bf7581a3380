"""What support reads: this service's own account of one order. A router and its query."""

from uuid import UUID

from fastapi import APIRouter

from chassis.db import Database
from chassis.operations import serves
from chassis.records import Noted, facts_about, records_of
from chassis.statements import text
from services.tickets.operations import GET_RECORDS, TicketsRecords


def make_records_router(database: Database) -> APIRouter:
    """The account of one order."""
    router = APIRouter(tags=["records"])

    @serves(router, GET_RECORDS)
    async def records_of_order(order_id: UUID) -> TicketsRecords:
        """All that happened to an order's tickets, as this service has recorded it; nothing for one that is not known here."""
        async with database.reader() as reads:
            rows = (await reads.execute(_TICKETS, {"order_id": order_id}, name="records.tickets")).mappings().all()
            facts = await facts_about(reads, [order_id])
        # They are issued, and the fact is published, in one transaction and one span.
        published = next((each for each in facts if each.what == "fact_told"), None)
        published_in = published.traceparent if published else None
        issued = [
            Noted(
                min(row["issued_at"], published.at) if published else row["issued_at"],
                "tickets_issued",
                published_in,
                {"places": row["places"], "state": row["state"]},
            )
            for row in rows
        ]
        return records_of(TicketsRecords, order_id, [*issued, *facts])

    return router


_TICKETS = text("""
    SELECT state, count(*)::int AS places, min(issued_at) AS issued_at FROM ticket
    WHERE order_id = :order_id GROUP BY state ORDER BY state
""")
