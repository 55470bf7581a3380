"""Tickets that a real order became, through the service's own use case."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx

from chassis.db import Database
from services.tickets.clients.accounts import AccountsClient
from services.tickets.domain import Change, EventChange, EventState, Line, Order
from services.tickets.event_changes import EventChanges
from services.tickets.printer import Printer
from services.tickets.service import Tickets
from services.tickets.settings import TicketsSettings
from services.tickets.shelf import Shelf
from services.tickets.signing import Keyring

NOWHERE = "http://127.0.0.1:9"
PLACES = Line(uuid4(), uuid4(), "Standing", None, None, 2, 2500)
A_SEAT = Line(uuid4(), uuid4(), "Stalls", "A1", "Row A, seat 1", 1, 4200)
ANOTHER_SEAT = Line(uuid4(), A_SEAT.class_id, "Stalls", "A2", "Row A, seat 2", 1, 4300)

MOVED = EventChange(
    event_id=UUID(int=0),
    version=2,
    state=EventState.RESCHEDULED,
    changes=(Change.STARTS_AT, Change.VENUE),
    title="Hamlet",
    starts_at=datetime(2031, 7, 5, 18, tzinfo=UTC),
    doors_at=datetime(2031, 7, 5, 17, tzinfo=UTC),
    time_zone="Europe/Berlin",
    venue_name="Rose",
    venue_street="Spreeufer 2",
    venue_city="Berlin",
    venue_country="DE",
    previous_starts_at=datetime(2031, 6, 21, 18, tzinfo=UTC),
)


def tickets_of(settings: TicketsSettings, database: Database) -> Tickets:
    """The use cases, on a database; nothing is printed."""
    printer = Printer(1, 1, Shelf(settings.printed_folder, bytes_max=0, seconds_max=1))
    accounts = AccountsClient(httpx.AsyncClient(base_url=settings.accounts_url, timeout=30), settings.name_seconds)
    return Tickets(database, Keyring.load(settings.signing_key_file, settings.retired_keys_file), printer, accounts)


async def keep(event_changes: EventChanges, database: Database, change: EventChange) -> None:
    """Lets an event be another one, as catalog's fact does, and tells the holders of its tickets."""
    async with database.writer() as tx:
        await event_changes.keep_change(tx, change)
    while await event_changes.notify_holders():
        pass


async def issue(
    tickets: Tickets,
    database: Database,
    order_id: UUID,
    person_id: UUID,
    lines: tuple[Line, ...] = (A_SEAT,),
    event_id: UUID | None = None,
) -> None:
    """Issues the tickets of an order, as its confirmation does."""
    order = Order(
        order_id=order_id,
        number="K7Q2-9MXA",
        person_id=person_id,
        event_id=event_id or uuid4(),
        event_title="Hamlet",
        venue_name="Globe",
        venue_city="Berlin",
        starts_at=datetime(2031, 6, 21, 18, tzinfo=UTC),
        time_zone="Europe/Berlin",
        currency="EUR",
        lines=lines,
        # Of some events less is known than of others.
        venue_street=None if PLACES in lines else "Spreeufer 1",
        venue_country=None if PLACES in lines else "DE",
        doors_at=None if PLACES in lines else datetime(2031, 6, 21, 17, tzinfo=UTC),
    )
    async with database.writer() as tx:
        await tickets.issue(tx, order)
