"""What tickets reads in the facts of catalog: that an event is not as it was."""

from typing import Any
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.tickets import queries
from services.tickets.app import create_app
from services.tickets.domain import EventState
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import NOWHERE, issue, tickets_of

catalog = hears("tickets", "catalog")

MOVED = {
    "state": matchers.one_of("rescheduled", "scheduled", "moved_online"),
    "changes": matchers.several(matchers.one_of("starts_at", "state", "doors_at", "title", "venue", "codes")),
    "doors_at": matchers.timestamp("2031-07-05T17:00:00Z"),
    "venue_street": matchers.text("Spreeufer 2"),
    "venue_country": matchers.text("DE"),
    "previous_starts_at": matchers.timestamp("2031-06-21T18:00:00Z"),
}
CALLED_OFF = {
    "state": matchers.one_of("cancelled", "postponed"),
    "changes": matchers.several(matchers.one_of("state", "starts_at", "doors_at", "title", "venue", "codes")),
    "doors_at": matchers.nothing(),
    "venue_street": matchers.nothing(),
    "venue_country": matchers.nothing(),
    "previous_starts_at": matchers.nothing(),
}


def event_changed(event_id: UUID, how: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": matchers.identifier(event_id),
        "version": matchers.integer(2),
        "title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp("2031-07-05T18:00:00Z"),
        "time_zone": matchers.text("Europe/Berlin"),
        "venue_name": matchers.text("Rose"),
        "venue_city": matchers.text("Berlin"),
        "code_edition": matchers.integer(2),
        **how,
    }


@pytest.mark.parametrize(
    ("flavour", "how", "state"),
    [
        ("of an event that has moved", MOVED, EventState.RESCHEDULED),
        ("of an event that is cancelled", CALLED_OFF, EventState.CANCELLED),
    ],
    ids=["moved", "called off"],
)
async def test_tickets_say_what_their_event_has_become(
    catalog: Hearing, harness: Harness, flavour: str, how: dict[str, Any], state: EventState
) -> None:
    settings = harness.settings(
        TicketsSettings, signing_key_file=harness.keys.key_file("tickets"), accounts_url=NOWHERE
    )
    database = Database(settings)
    inbox = create_app(settings).state.service.inboxes[0]
    event_id, order_id = an_id(f"tickets hears catalog: event {flavour}"), an_id(f"tickets hears catalog: {flavour}")
    await issue(tickets_of(settings, database), database, order_id, an_id("buyer"), event_id=event_id)
    data = event_changed(event_id, how)
    with catalog.published("events.catalog.event_changed.v1", data, about=event_id, flavour=flavour) as event:
        await deliver(inbox, database, event)
        async with database.reader() as reads:
            [ticket] = await queries.tickets_of_order(reads, order_id)
        assert (ticket.event_state, ticket.event_version, ticket.venue_name) == (state, 2, "Rose")
        assert ticket.epoch == 2
        assert ticket.starts_at.isoformat() == "2031-07-05T18:00:00+00:00"
    await database.close()
