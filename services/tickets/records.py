"""What support reads: this service's own account of one order. A router and its query."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import text

from chassis.db import Database
from chassis.identity import calls_from
from chassis.records import ChassisWhat, Entry, Noted, Records, facts_about, records_of

TicketsWhat = Literal["tickets_issued"]


class TicketsEntry(Entry):
    """What happened to the tickets of an order."""

    what: Literal[TicketsWhat, ChassisWhat]


class TicketsRecords(Records):
    """An order as tickets has recorded it."""

    entries: list[TicketsEntry]


def make_records_router(database: Database) -> APIRouter:
    """The account of one order."""
    router = APIRouter(tags=["records"], dependencies=[calls_from("web")])

    @router.get("/records/orders/{order_id}")
    async def records_of_order(order_id: UUID) -> TicketsRecords:
        """All that happened to an order's tickets, as this service has recorded it; nothing for one that is not known here."""
        async with database.reader() as reads:
            rows = (await reads.execute(_TICKETS, {"order_id": order_id}, name="records.tickets")).mappings().all()
            facts = await facts_about(reads, [order_id])
        # They are issued, and the world is told, in one transaction and one span.
        told = next((each for each in facts if each.what == "fact_told"), None)
        told_in = told.traceparent if told else None
        issued = [
            Noted(
                min(row["issued_at"], told.at) if told else row["issued_at"],
                "tickets_issued",
                told_in,
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
