"""The facts of tickets are what their consumers need: those that issuing leaves in the outbox."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import Published, published_by, verify_facts
from local.topology import hearers_of
from services.tickets.domain import Change, EventState, Line
from services.tickets.event_changes import EventChanges
from services.tickets.events import TicketsChanged, TicketsIssued
from services.tickets.service import Tickets
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import (
    A_SEAT,
    ANOTHER_SEAT,
    MOVED,
    NOWHERE,
    PLACES,
    issue,
    keep,
    tickets_of,
)

FLAVOURS_OF_CHANGES: dict[str, dict[str, Any]] = {
    "of a new date and place": {},
    "of a cancelled event": {
        "state": EventState.CANCELLED,
        "changes": (Change.STATE,),
        "previous_starts_at": None,
        "doors_at": None,
        "venue_street": None,
    },
}


# What is known of the event of each order, as it was bought, and of the one with seats besides.
AS_BOUGHT = {
    "order_number": "K7Q2-9MXA",
    "event_title": "Hamlet",
    "venue_name": "Globe",
    "venue_city": "Berlin",
    "starts_at": datetime(2031, 6, 21, 18, tzinfo=UTC),
    "time_zone": "Europe/Berlin",
}
OF_ONE_WITH_SEATS = {"venue_street": "Spreeufer 1", "doors_at": datetime(2031, 6, 21, 17, tzinfo=UTC)}
FLAVOURS_OF_TICKETS: dict[str, tuple[tuple[Line, ...], dict[str, Any]]] = {
    "of places": ((PLACES,), {"paid_minor": 5000, **dict.fromkeys(OF_ONE_WITH_SEATS)}),
    "of seats": ((A_SEAT, ANOTHER_SEAT), {"paid_minor": 8500, **OF_ONE_WITH_SEATS}),
}


def some_ids() -> dict[str, Any]:
    return {name: uuid4() for name in ("order_id", "person_id", "event_id")}


async def issued(tickets: Tickets, database: Database, lines: tuple[Line, ...], known: dict[str, Any]) -> Published:
    """The fact, with what is known of it: the tickets in the order of the lines, one for each place."""
    ids = some_ids()
    await issue(tickets, database, **ids, lines=lines)
    places = [line for line in lines for _ in range(line.quantity)]
    made = await tickets.of_order(ids["order_id"], None)
    those = [
        {"ticket_id": ticket.ticket_id, "class_name": line.class_name, "seat_label": line.seat_label}
        for ticket, line in zip(made, places, strict=True)
    ]
    return Published(
        (await published_by(database))[TicketsIssued.subject], {**AS_BOUGHT, **ids, **known, "tickets": those}
    )


async def test_tickets_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    settings = harness.settings(
        TicketsSettings, signing_key_file=harness.keys.key_file("tickets"), accounts_url=NOWHERE
    )
    database = Database(settings)
    tickets = tickets_of(settings, database)
    facts = {
        f"{TicketsIssued.subject} {flavour}": await issued(tickets, database, lines, known)
        for flavour, (lines, known) in FLAVOURS_OF_TICKETS.items()
    }
    for flavour, changes in FLAVOURS_OF_CHANGES.items():
        ids = some_ids()
        await issue(tickets, database, **ids)
        change = replace(MOVED, event_id=ids["event_id"], **changes)
        await keep(EventChanges(database), database, change)
        known = {**asdict(change), "event_title": change.title, "order_number": AS_BOUGHT["order_number"], **ids}
        facts[f"{TicketsChanged.subject} {flavour}"] = Published(
            (await published_by(database))[TicketsChanged.subject], known
        )
    await verify_facts("tickets", hearers=hearers_of("tickets"), facts=facts)
    await database.close()
