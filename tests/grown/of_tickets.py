"""Tickets after years: 200,000 of them, 2,000 of one person and 50,000 of one event."""

from datetime import UTC, datetime
from uuid import UUID

from chassis.db import Transaction
from services.tickets import queries
from services.tickets.api import _make_cursor
from services.tickets.app import create_app
from services.tickets.domain import Change, EventChange, EventState
from services.tickets.operations import OPERATIONS
from services.tickets.settings import TicketsSettings
from tests.grown.filling import EVENTS, SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

TICKET, ORDER, PERSON, EVENT, LINE, CLASS = 8, 1, 2, 3, 6, 7
TICKETS = 200_000
STARTS = f"date_trunc('day', now()) + (n - {TICKETS // 2}) * interval '10 minutes'"

ISSUED = Filled(
    "ticket",
    TICKETS,
    {
        "ticket_id": uid(TICKET, "n"),
        "order_id": uid(ORDER, "n / 2"),
        "order_number": "'N' || n / 2",
        "person_id": uid(PERSON, "CASE WHEN n % 100 = 7 THEN 1 ELSE 2 + n / 2 % 49999 END"),
        "event_id": uid(EVENT, f"CASE WHEN n % 4 = 0 THEN 1 ELSE 2 + n * 31 % {EVENTS - 1} END"),
        "event_title": "'A concert'",
        "venue_name": "'Volkshaus'",
        "venue_city": "'Zürich'",
        "starts_at": STARTS,
        "time_zone": "'Europe/Zurich'",
        "line_id": uid(LINE, "n / 2"),
        "ordinal": "1 + n % 2",
        "class_id": uid(CLASS, "1"),
        "class_name": "'Standing'",
        "currency": "'CHF'",
        "unit_price_minor": "2500",
        "state": "'valid'",
        "epoch": "1",
        "event_version": "1",
    },
)
# One in five has moved since it was bought.
MOVED = Filled(
    "event",
    EVENTS // 5,
    {
        "event_id": uid(EVENT, "n * 5"),
        "version": "2",
        "state": "'rescheduled'",
        "changes": "'[]'",
        "title": "'A concert'",
        "starts_at": "date_trunc('day', now()) + interval '30 days' + n * interval '1 hour'",
        "time_zone": "'Europe/Zurich'",
        "venue_name": "'Volkshaus'",
        "venue_city": "'Zürich'",
        "told_version": "2",
    },
)
MANY, OF_AN_ORDER = UUID(uid_of(PERSON, 1)), 1_000
BUYER = UUID(uid_of(PERSON, 2 + OF_AN_ORDER % 49_999))
MOVING = EventChange(
    event_id=UUID(uid_of(EVENT, 1)),
    version=3,
    state=EventState.RESCHEDULED,
    changes=(Change.CODES,),
    title="A concert",
    starts_at=datetime.now(UTC),
    doors_at=None,
    time_zone="Europe/Zurich",
    venue_name="Volkshaus",
    venue_street=None,
    venue_city="Zürich",
    venue_country=None,
    previous_starts_at=None,
    code_edition=2,
)


async def reads(tx: Transaction) -> None:
    """What the walk through the holders of an event reads, and who looks at one ticket."""
    await queries.holdings_of(tx, MOVING, after=None, limit=200)
    await queries.holdings_of(tx, MOVING, after=UUID(uid_of(ORDER, 90_000)), limit=200)
    await queries.ticket_by_id(tx, UUID(uid_of(TICKET, 7)))


class _Last:
    """What a cursor is made of."""

    starts_at = datetime.now(UTC)
    ticket_id = UUID(int=0)


GREW = Grew(
    create_app,
    TicketsSettings,
    Grown((ISSUED, MOVED, *of_the_chassis(uid(ORDER, "n"))), SMALL_OF_THE_CHASSIS),
    OPERATIONS,
    {
        "GET /orders/{order_id}/tickets": [Ask(f"/orders/{uid_of(ORDER, OF_AN_ORDER)}/tickets", BUYER)],
        # The list is by when an event takes place now, so all tickets of its person are read.
        "GET /tickets": [
            Ask("/tickets?limit=100", MANY, rows=2_500, blocks=7_000),
            Ask(f"/tickets?limit=100&after={_make_cursor(_Last())}", MANY, rows=2_500, blocks=7_000),  # type: ignore[arg-type]  # it reads these two alone
        ],
        "GET /orders/{order_id}/tickets.pdf": [Ask(f"/orders/{uid_of(ORDER, OF_AN_ORDER)}/tickets.pdf", BUYER)],
        "GET /.well-known/ticket-keys.json": [Ask("/.well-known/ticket-keys.json")],
        "GET /records/orders/{order_id}": [Ask(f"/records/orders/{uid_of(ORDER, OF_AN_ORDER)}")],
    },
    reads,
    {"accounts_url": "http://127.0.0.1:9"},
    ("signing_key_file",),
)
