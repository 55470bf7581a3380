"""What support reads: this service's own account of one order. A router and its queries."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from fastapi import APIRouter

from chassis.db import Database, Reads
from chassis.operations import serves
from chassis.records import MOST_OF_EACH, Noted, facts_about, records_of
from chassis.statements import Row, text
from services.payments.operations import GET_RECORDS, PaymentsRecords


def make_records_router(database: Database) -> APIRouter:
    """The account of one order."""
    router = APIRouter(tags=["records"])

    @serves(router, GET_RECORDS)
    async def records_of_order(order_id: UUID) -> PaymentsRecords:
        """All that happened to an order's payments, as this service has recorded it; nothing for one that is not known here."""
        async with database.reader() as reads:
            payments = await _rows(reads, "payments", {"order_id": order_id})
            about = {"payment_ids": [row["payment_id"] for row in payments]}
            if not payments:
                return records_of(PaymentsRecords, order_id, [])
            noted = [_opened(row) for row in payments]
            noted += [_step(row) for row in await _rows(reads, "steps", about)]
            noted += [_booked(row) for row in await _rows(reads, "bookings", about)]
            noted += [each for row in await _rows(reads, "attempts", about) for each in _attempt(row)]
            noted += [_settled(row) for row in await _rows(reads, "settled", about)]
            known_as = {"gateway_ids": [row["gateway_payment_id"] for row in payments if row["gateway_payment_id"]]}
            noted += [each for row in await _rows(reads, "webhooks", known_as) for each in _webhook(row)]
            noted += await facts_about(reads, about["payment_ids"])
        return records_of(PaymentsRecords, order_id, noted)

    return router


async def _rows(reads: Reads, name: str, parameters: Mapping[str, object]) -> list[Row]:
    found = await reads.execute(_QUERIES[name], {**parameters, "most": MOST_OF_EACH}, name=f"records.{name}")
    return list(found.mappings())


def _opened(row: Row) -> Noted:
    facts = {
        "reference": str(row["payment_id"]),
        "attempt": row["attempt"],
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "until": row["pay_by"],
    }
    return Noted(row["created_at"], "payment_opened", row["traceparent"], facts)


def _step(row: Row) -> Noted:
    facts = {
        "reference": str(row["payment_id"]),
        "reason": row["reason"],
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
    }
    return Noted(row["changed_at"], f"payment_{row['state']}", row["traceparent"], facts)


def _booked(row: Row) -> Noted:
    facts = {"kind": row["kind"], "amount_minor": row["amount_minor"], "currency": row["currency"]}
    return Noted(row["booked_at"], "money_booked", row["traceparent"], facts)


def _attempt(row: Row) -> Iterator[Noted]:
    """A try, and that nothing was known of it afterwards."""
    facts = {"kind": row["kind"], "attempt": row["attempt"]}
    yield Noted(row["begun_at"], "gateway_asked", row["traceparent"], facts)
    if row["problem"] is not None:
        yield Noted(row["ended_at"], "gateway_silent", row["traceparent"], {**facts, "reason": row["problem"]})


def _settled(row: Row) -> Noted:
    facts = {"kind": row["kind"], "attempt": row["attempts"], "reason": row["refusal"]}
    what = "gateway_refused" if row["state"] == "refused" else "gateway_did"
    return Noted(row["settled_at"], what, row["settled_in"], facts)


def _webhook(row: Row) -> Iterator[Noted]:
    facts = {"kind": row["type"], "reference": row["webhook_id"]}
    yield Noted(row["received_at"], "webhook_taken", row["traceparent"], facts)
    if row["handled_at"] is not None:
        # One that said what was known anyway was done as it came, without a try.
        tried = {**facts, "attempt": row["attempts"] or None}
        yield Noted(row["handled_at"], "webhook_followed", row["traceparent"], tried)


_QUERIES = {
    "payments": text("""
        SELECT payment_id, attempt, amount_minor, currency, pay_by, gateway_payment_id, traceparent, created_at
        FROM payment WHERE order_id = :order_id ORDER BY attempt LIMIT :most
    """),
    "steps": text("""
        SELECT payment_id, change.state, change.reason, change.traceparent, changed_at, amount_minor, currency
        FROM payment_change change JOIN payment USING (payment_id)
        WHERE payment_id = ANY(:payment_ids) ORDER BY changed_at LIMIT :most
    """),
    # A booking is made in the transaction of its step, and so in its span.
    "bookings": text("""
        SELECT kind, booked_at, currency, change.traceparent,
               CAST(sum(amount_minor) FILTER (WHERE amount_minor > 0) AS bigint) AS amount_minor
        FROM ledger_transfer transfer JOIN ledger_entry USING (transfer_id)
             LEFT JOIN payment_change change ON change.payment_id = transfer.payment_id AND change.state = kind
        WHERE transfer.payment_id = ANY(:payment_ids)
        GROUP BY transfer_id, kind, booked_at, currency, change.traceparent ORDER BY booked_at LIMIT :most
    """),
    "attempts": text("""
        SELECT kind, attempt, begun_at, tried.problem, ended_at, tried.traceparent
        FROM gateway_operation JOIN work_attempt tried USING (key)
        WHERE payment_id = ANY(:payment_ids) AND queue = 'payments.ask_about_operation' ORDER BY begun_at LIMIT :most
    """),
    "settled": text("""
        SELECT kind, state, attempts, refusal, settled_at, settled_in FROM gateway_operation
        WHERE payment_id = ANY(:payment_ids) AND settled_at IS NOT NULL ORDER BY settled_at LIMIT :most
    """),
    "webhooks": text("""
        SELECT webhook_id, type, attempts, received_at, handled_at, traceparent FROM webhook
        WHERE gateway_payment_id = ANY(:gateway_ids) ORDER BY received_at LIMIT :most
    """),
}
