"""What orders reads in the facts of catalog: how an event stands for which there are orders."""

from typing import Any

import pytest

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.orders import queries
from services.orders.tests.desk import open_desk

catalog = hears("orders", "catalog")

EVENT = an_id("orders: event")
SUBJECT = "events.catalog.event_changed.v1"


def changed(state: str, previous: Any) -> dict[str, Any]:
    return {
        "event_id": matchers.identifier(EVENT),
        "version": matchers.integer(2),
        "state": matchers.one_of(state, "scheduled", "rescheduled", "postponed", "cancelled", "moved_online"),
        "title": matchers.text("Hamlet, again"),
        "starts_at": matchers.timestamp("2031-06-22T18:00:00Z"),
        "previous_starts_at": previous,
        "time_zone": matchers.text("Europe/Berlin"),
        "venue_name": matchers.text("Stadthalle"),
        "venue_city": matchers.text("Berlin"),
    }


@pytest.mark.parametrize(
    ("flavour", "state", "previous"),
    [
        ("of an event that has moved", "rescheduled", matchers.timestamp("2031-06-21T18:00:00Z")),
        ("of an event that is cancelled", "cancelled", matchers.nothing()),
    ],
)
async def test_an_order_tells_what_has_changed_of_its_event(
    catalog: Hearing, harness: Harness, flavour: str, state: str, previous: Any
) -> None:
    order_id = an_id("orders hears catalog: order")
    async with open_desk(harness) as desk:
        await desk.order(order_id=order_id, hold_id=an_id("orders hears catalog: hold"), person_id=an_id("buyer"))
        data = changed(state, previous)
        with catalog.published(SUBJECT, data, about=EVENT, flavour=flavour) as event:
            await deliver(desk.inbox, desk.database, event)
        async with desk.database.reader() as reads:
            order = await queries.order_by_id(reads, order_id)
        assert order is not None
        assert (order.event_title, order.venue_name, order.event_state) == ("Hamlet, again", "Stadthalle", state)
