"""The facts of tickets are what their consumers need: those that issuing leaves in the outbox."""

from typing import Any
from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import told_by, verify_facts
from services.tickets.domain import Change, EventState
from services.tickets.events import TicketsChanged, TicketsIssued
from services.tickets.moved import Moved
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import A_SEAT, NOWHERE, PLACES, change, issue, tickets_of

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


async def test_tickets_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    settings = harness.settings(
        TicketsSettings, signing_key_file=harness.keys.key_file("tickets"), accounts_url=NOWHERE
    )
    database = Database(settings)
    facts = {}
    for flavour, line in (("of places", PLACES), ("of seats", A_SEAT)):
        await issue(tickets_of(settings, database), database, uuid4(), uuid4(), line)
        facts[f"{TicketsIssued.subject} {flavour}"] = (await told_by(database))[TicketsIssued.subject]
    for flavour, changes in FLAVOURS_OF_CHANGES.items():
        event_id = uuid4()
        await issue(tickets_of(settings, database), database, uuid4(), uuid4(), event_id=event_id)
        await change(Moved(database), database, event_id, **changes)
        facts[f"{TicketsChanged.subject} {flavour}"] = (await told_by(database))[TicketsChanged.subject]
    await verify_facts("tickets", hearers=["notifications", "orders", "web"], facts=facts)
    await database.close()
