"""Tickets that a real order became, through the service's own use case."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis.db import Database
from services.tickets.domain import Line, Order
from services.tickets.printer import Printer
from services.tickets.service import Tickets
from services.tickets.settings import TicketsSettings
from services.tickets.signing import Keyring

PLACES = Line(uuid4(), uuid4(), "Standing", None, None, 2, 2500)
A_SEAT = Line(uuid4(), uuid4(), "Stalls", "A1", "Row A, seat 1", 1, 4200)


def tickets_of(settings: TicketsSettings, database: Database) -> Tickets:
    """The use cases, on a database; nothing is printed."""
    return Tickets(database, Keyring.load(settings.signing_key_file, settings.retired_keys_file), Printer(1, 1))


async def issue(tickets: Tickets, database: Database, order_id: UUID, person_id: UUID, line: Line = A_SEAT) -> None:
    """Issues the tickets of an order, as its confirmation does."""
    order = Order(
        order_id=order_id,
        number="K7Q2-9MXA",
        person_id=person_id,
        event_id=uuid4(),
        event_title="Hamlet",
        venue_name="Globe",
        venue_city="Berlin",
        starts_at=datetime(2031, 6, 21, 18, tzinfo=UTC),
        time_zone="Europe/Berlin",
        currency="EUR",
        lines=(line,),
    )
    async with database.writer() as tx:
        await tickets.issue(tx, order)
