"""An event that is cancelled or moved: what is sold of it, and what becomes of the orders that there are."""

from typing import Any

import pytest

from services.orders.tests.integration.conftest import Desk

EVENT_CHANGED = "events.catalog.event_changed.v1"
AUTHORISED = "events.payments.payment_authorised.v1"
CANCELLED = "events.orders.order_cancelled.v1"
CONFIRMED = "events.orders.order_confirmed.v1"


async def event_changed(desk: Desk, state: str, version: int = 2, **changed: Any) -> None:
    """Catalog tells it, and orders knows it."""
    event_id = str(desk.neighbours.event_id)
    fact = {
        "event_id": event_id,
        "version": version,
        "state": state,
        "changes": ["state"],
        "title": "Hamlet",
        "starts_at": "2027-05-01T18:00:00Z",
        "previous_starts_at": None,
        "doors_at": None,
        "time_zone": "Europe/Berlin",
        "venue_name": "Globe",
        "venue_street": None,
        "venue_city": "Berlin",
        "venue_country": None,
        "image": None,
    }
    sent = await desk.harness.tell(EVENT_CHANGED, fact | changed, aggregate_id=event_id)

    async def is_known() -> bool:
        return bool(await desk.rows("SELECT 1 FROM inbox WHERE event_id = :event_id", event_id=sent))

    await desk.harness.eventually(is_known)


async def test_nothing_is_sold_of_a_cancelled_event(desk: Desk) -> None:
    desk.neighbours.on_sale = False
    desk.neighbours.event_says = {"state": "cancelled", "version": 2}
    refused = await desk.place()
    assert (refused.status_code, refused.json()["code"]) == (409, "event_cancelled")
    assert desk.neighbours.holds == {}


@pytest.mark.parametrize("begins_at", ["2027-01-10T09:00:00Z", None])
async def test_what_is_not_on_sale_yet_is_refused_with_when_it_will_be(desk: Desk, begins_at: str | None) -> None:
    desk.neighbours.class_says = {"on_sale": False, "sale_begins_at": begins_at}
    refused = await desk.place()
    assert (refused.status_code, refused.json()["code"]) == (409, "not_on_sale")
    assert refused.json()["begins_at"] == begins_at
    desk.neighbours.class_says = {}
    desk.neighbours.refuse("hold", 409, "not_on_sale")
    assert (await desk.place()).json()["code"] == "not_on_sale"


@pytest.mark.parametrize("reached", ["held", "paying", "authorised"])
async def test_an_order_before_its_money_is_taken_ends_with_its_event(desk: Desk, reached: str) -> None:
    order = (await desk.place()).json() if reached == "held" else await desk.paying()
    if reached == "authorised":
        desk.neighbours.refuse("commit", 503, "inventory_busy", times=1000)
        payment_id = desk.payment_of(order)
        desk.neighbours.authorise(payment_id)
        await desk.harness.tell(AUTHORISED, {"payment_id": payment_id, "order_id": order["order_id"]})
        await desk.in_state(order["order_id"], "authorised")
    await event_changed(desk, "cancelled")
    ended = await desk.in_state(order["order_id"], "cancelled")
    assert (ended["reason"], ended["event_state"]) == ("event_cancelled", "cancelled")
    assert desk.neighbours.hold_states() == ["released"]
    assert [payment["state"] for payment in desk.neighbours.payments.values()] == ["voided"] * (reached != "held")
    assert desk.neighbours.captures == []
    assert (await desk.harness.heard(CANCELLED))["data"]["reason"] == "event_cancelled"


async def test_a_confirmed_order_stays_and_says_that_its_event_is_cancelled(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    await desk.act(order["order_id"], "refresh")
    await event_changed(desk, "cancelled")
    found = await desk.order(order["order_id"])
    assert (found["state"], found["event_state"]) == ("confirmed", "cancelled")


@pytest.mark.parametrize(
    ("state", "code"), [("cancelled", "event_cancelled"), ("postponed", "not_on_sale"), ("moved_online", "not_on_sale")]
)
async def test_nobody_begins_to_pay_for_an_event_that_does_not_take_place_as_planned(
    desk: Desk, state: str, code: str
) -> None:
    await event_changed(desk, state)
    desk.neighbours.event_says = {"version": 1}
    order = (await desk.place()).json()
    refused = await desk.checkout(order["order_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert desk.neighbours.payments == {}


async def test_orders_tell_the_new_date_and_place_of_an_event_that_moved(desk: Desk) -> None:
    order = (await desk.place()).json()
    moved: dict[str, Any] = {"starts_at": "2027-09-12T17:00:00Z", "venue_name": "Stadthalle", "title": "Hamlet!"}
    await event_changed(desk, "rescheduled", previous_starts_at="2027-05-01T18:00:00Z", **moved)
    found = await desk.order(order["order_id"])
    (listed,) = (await desk.app.http.get("/orders", headers=desk.headers())).json()["items"]
    for each in (found, listed):
        assert (each["event_starts_at"], each["venue_name"], each["event_title"]) == tuple(moved.values())
        assert (each["event_state"], each["event_previous_starts_at"]) == ("rescheduled", "2027-05-01T18:00:00Z")
    checked_out = (await desk.checkout(order["order_id"])).json()
    desk.neighbours.authorise(desk.payment_of(checked_out))
    await desk.act(order["order_id"], "refresh")
    fact = (await desk.harness.heard(CONFIRMED))["data"]
    assert (fact["starts_at"], fact["venue_name"], fact["event_title"]) == tuple(moved.values())


async def test_older_news_of_an_event_never_overwrite_newer_ones(desk: Desk) -> None:
    order = (await desk.place()).json()
    await event_changed(desk, "rescheduled", version=3, starts_at="2027-09-12T17:00:00Z")
    await event_changed(desk, "cancelled", version=2)
    found = await desk.order(order["order_id"])
    assert (found["state"], found["event_state"], found["event_starts_at"]) == (
        "held",
        "rescheduled",
        "2027-09-12T17:00:00Z",
    )


async def test_an_order_that_was_placed_later_keeps_what_catalog_said_then(desk: Desk) -> None:
    await event_changed(desk, "rescheduled", version=2, starts_at="2027-09-12T17:00:00Z")
    desk.neighbours.event_says = {"version": 3, "starts_at": "2027-12-24T17:00:00Z"}
    order = (await desk.place()).json()
    assert order["event_starts_at"] == "2027-12-24T17:00:00Z"
    assert (await desk.order(order["order_id"]))["event_starts_at"] == "2027-12-24T17:00:00Z"
