"""What support reads: this service's own account of one order. A router and its queries."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from chassis.db import Database, Reads
from chassis.operations import serves
from chassis.records import MOST_OF_EACH, Noted, facts_about, records_of, traceparent_of
from chassis.statements import Row, text
from services.orders.domain import OrderState, payment_id_of
from services.orders.operations import FIND_ORDERS, GET_RECORDS, OrderHead, OrderHeads, OrdersRecords

# One trace may be that of several orders: a browser that goes on where it was.
MOST_ORDERS = 20


def make_records_router(database: Database) -> APIRouter:
    """Orders by number or trace, and the account of one."""
    router = APIRouter(tags=["records"])

    @serves(router, FIND_ORDERS)
    async def find_orders(
        number: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,20}$")] = None,
        trace_id: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
        order_id: UUID | None = None,
    ) -> OrderHeads:
        """Orders with this number or id, or of this trace; none without any of them."""
        async with database.reader() as reads:
            rows = await _heads(reads, number, trace_id, order_id)
        return OrderHeads(items=[OrderHead.model_validate(dict(row)) for row in rows])

    @serves(router, GET_RECORDS)
    async def records_of_order(order_id: UUID) -> OrdersRecords:
        """All that happened to an order, as this service has recorded it; nothing for one that is not known here."""
        async with database.reader() as reads:
            row = (await reads.execute(_ORDER, {"order_id": order_id}, name="records.order")).mappings().one_or_none()
            if row is None:
                return records_of(OrdersRecords, order_id, [])
            noted = [_placed(row), *await _changes(reads, row), *await _waits(reads, order_id)]
            payments = [payment_id_of(order_id, attempt) for attempt in range(1, row["payment_attempt"] + 1)]
            noted += await facts_about(reads, [order_id, row["hold_id"], *payments])
        return records_of(OrdersRecords, order_id, noted)

    return router


async def _heads(reads: Reads, number: str | None, trace_id: str | None, order_id: UUID | None) -> list[Row]:
    asked = {"number": number.strip().upper() if number else None, "trace_id": trace_id, "order_id": order_id}
    parameters = asked | {"most": MOST_ORDERS}
    return list((await reads.execute(_HEADS, parameters, name="records.heads")).mappings())


def _placed(order: Row) -> Noted:
    return Noted(order["created_at"], "placed", order["traceparent"], {"state": OrderState.PLACING.value})


async def _changes(reads: Reads, order: Row) -> list[Noted]:
    parameters = {"order_id": order["order_id"], "most": MOST_OF_EACH}
    rows = (await reads.execute(_CHANGES, parameters, name="records.changes")).mappings()
    return [
        Noted(
            row["changed_at"],
            row["happening"],
            traceparent_of(row["trace_id"], row["span_id"]),
            {"state": row["state"], **_more(order, row)},
        )
        for row in rows
    ]


def _more(order: Row, change: Row) -> dict[str, Any]:
    if change["happening"] == "hold_granted":
        names = ("places", "currency", "hold_expires_at", "total_minor")
        places, currency, until, total = (order[name] for name in names)
        return {"places": places, "currency": currency, "until": until, "amount_minor": total}
    if change["state"] in {OrderState.CANCELLING, OrderState.CANCELLED}:
        return {"reason": order["reason"]}
    return {}


async def _waits(reads: Reads, order_id: UUID) -> list[Noted]:
    rows = (await reads.execute(_WAITS, {"order_id": order_id, "most": MOST_OF_EACH}, name="records.waits")).mappings()
    return [
        Noted(
            row["ended_at"],
            "waited",
            row["traceparent"],
            {
                "state": row["state"],
                "attempt": row["attempt"],
                "reason": row["problem"],
                "until": row["again_at"],
            },
        )
        for row in rows
    ]


_PLACES = """
    COALESCE((SELECT sum(quantity)::int FROM order_line WHERE order_line.order_id = purchase_order.order_id), 0) AS places
"""
_ORDER = text(f"""
    SELECT order_id, created_at, traceparent, hold_id, hold_expires_at, payment_attempt, total_minor, currency, reason, {_PLACES}
    FROM purchase_order WHERE order_id = :order_id
""")  # noqa: S608  # a constant of this module
_CHANGES = text("""
    SELECT happening, state, trace_id, span_id, changed_at FROM order_change
    WHERE order_id = :order_id ORDER BY change_no LIMIT :most
""")
_WAITS = text("""
    SELECT ended_at, outcome AS state, attempt, problem, again_at, traceparent FROM work_attempt
    WHERE key = CAST(CAST(:order_id AS uuid) AS text) AND queue = 'orders.advance_order' AND problem IS NOT NULL
    ORDER BY ended_at LIMIT :most
""")
_HEADS = text(f"""
    SELECT order_id, number, state, reason, event_title, event_starts_at, event_time_zone, venue_name, {_PLACES}, currency,
           total_minor, created_at, confirmed_at, tries AS attempts, trace_id,
           (SELECT changed_at FROM order_change
            WHERE order_change.order_id = purchase_order.order_id AND happening = 'hold_granted' LIMIT 1) AS held_at
    FROM purchase_order
    WHERE number = CAST(:number AS text) OR trace_id = CAST(:trace_id AS text) OR order_id = CAST(:order_id AS uuid)
    ORDER BY created_at LIMIT :most
""")  # noqa: S608  # a constant of this module
