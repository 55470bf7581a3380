"""How orders answers web, as web's contract says it, and the refusals that a page explains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args
from uuid import UUID

import pytest

from chassis.http import ProviderProblem
from contracts import matchers
from contracts.consumer import Ask, Asking, State, an_id, ask, problem
from services.web.clients.orders import PLACE_ORDER, OrdersClient, OrderState

TOKEN = "a.persons.token"
KEY = "a-form-that-was-sent-once"
A_PASS = "a.pass.of-the-waiting-room"
RETURN_URL = "http://shop.test/orders/1/return"
PLACES = {
    "class_name": matchers.text("Standing"),
    "seat_id": matchers.nothing(),
    "seat_label": matchers.nothing(),
    "quantity": 2,
    "unit_price_minor": matchers.money(2500),
}
A_SEAT = {
    "class_name": matchers.text("Stalls"),
    "seat_id": matchers.text("A1"),
    "seat_label": matchers.text("Row A, seat 1"),
    "quantity": 1,
    "unit_price_minor": matchers.money(4200),
}
# How long places are held, and how long they may be held altogether.
HELD_SECONDS, LONGEST_SECONDS = 600, 1800


def ids(words: str) -> tuple[UUID, UUID]:
    """An order's id and its buyer's."""
    return an_id(f"web asks orders: order, {words}"), an_id(f"web asks orders: buyer, {words}")


def an_order(order_id: UUID | None, state: Any, **changes: Any) -> dict[str, Any]:
    made = {
        "order_id": str(order_id) if order_id else matchers.identifier(an_id("web asks orders: some order")),
        "number": matchers.text("K7Q2-9MXA", r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"),
        "state": state,
        "reason": matchers.nothing(),
        "event_id": matchers.identifier(an_id("web asks orders: some event")),
        "event_title": matchers.text("Hamlet"),
        "event_starts_at": matchers.timestamp(),
        "event_time_zone": matchers.text("Europe/Berlin"),
        "event_state": matchers.one_of("scheduled", "rescheduled", "postponed", "cancelled", "moved_online"),
        "event_previous_starts_at": matchers.nothing(),
        "venue_name": matchers.text("Globe"),
        "currency": matchers.currency(),
        "total_minor": matchers.money(5000),
        "lines": matchers.several(PLACES),
        "hold_expires_at": matchers.from_now(HELD_SECONDS),
        "hold_longest_until": matchers.from_now(LONGEST_SECONDS) if state == "held" else matchers.nothing(),
        "redirect_url": matchers.nothing(),
        "last_decline": matchers.nothing(),
        "created_at": matchers.from_now(0),
        "trace_id": matchers.text("0af7651916cd43dd8448eb211c80319c", r"^[0-9a-f]{32}$"),
    }
    return made | changes


# What the states of orders build, to the letter: an event, and two places of it.
THE_EVENT = {
    "event_title": "Hamlet",
    "event_starts_at": "2031-06-21T18:00:00Z",
    "event_time_zone": "Europe/Berlin",
    "venue_name": "Globe",
    "currency": "EUR",
}
TWO_PLACES = {**PLACES, "class_name": "Standing", "unit_price_minor": 2500}
TO_THE_LETTER: dict[str, Any] = {**THE_EVENT, "event_state": "scheduled", "total_minor": 5000, "lines": [TWO_PLACES]}
# And two seats besides, in the order in which they are shown.
WITH_SEATS: dict[str, Any] = {
    **TO_THE_LETTER,
    "total_minor": 13500,
    "lines": [
        {
            "class_name": "Stalls",
            "seat_id": f"A{number}",
            "seat_label": f"Row A, seat {number}",
            "quantity": 1,
            "unit_price_minor": price_minor,
        }
        for number, price_minor in ((1, 4200), (2, 4300))
    ]
    + [TWO_PLACES],
}
# Nothing is held yet; and an order may be placed outside of any trace.
BEING_PLACED = {
    "state": "placing",
    "lines": [],
    "hold_expires_at": matchers.nothing(),
    "trace_id": matchers.nothing(),
}
A_PAGE_TO_PAY = {"redirect_url": matchers.address("http://bank.test/pay/1")}

A_HEAD: dict[str, Any] = {
    "order_id": matchers.identifier(an_id("web asks orders: order of support")),
    "number": matchers.text("K7Q2-9MXA", r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"),
    "state": matchers.one_of("placing", *(state for state in get_args(OrderState) if state != "placing")),
    "reason": matchers.nothing(),
    "event_title": matchers.text("Hamlet"),
    "event_starts_at": matchers.timestamp(),
    "event_time_zone": matchers.text("Europe/Berlin"),
    "venue_name": matchers.text("Globe"),
    "places": matchers.integer(0),
    "currency": matchers.currency(),
    "total_minor": matchers.money(0),
    "created_at": matchers.from_now(0),
    "held_at": matchers.nothing(),
    "confirmed_at": matchers.nothing(),
    "attempts": matchers.integer(0),
    "trace_id": matchers.nothing(),
}


def ask_to_place(
    buyer: UUID,
    event_id: UUID,
    class_id: UUID | None,
    seats: tuple[str, ...] = (),
    quantity: int = 2,
    admission: str | None = None,
) -> Ask:
    body = {
        "event_id": str(event_id),
        "places": [{"class_id": str(class_id), "quantity": quantity}] if class_id else [],
        "seats": list(seats),
    } | ({"admission": admission} if admission else {})
    return ask(PLACE_ORDER, body=body, person=buyer, key=KEY)


@asynccontextmanager
async def refused(
    orders: Asking[OrdersClient],
    description: str,
    state: State | None,
    asked: Ask,
    status: int,
    code: str,
    **facts: Any,
) -> AsyncIterator[OrdersClient]:
    """A request that orders refuses with a code, and the facts that the page shows."""
    async with orders.expects(description, state, asked, problem(status, code, **facts)) as client:
        with pytest.raises(ProviderProblem) as refusal:
            yield client
        assert refusal.value.problem_code == code
        read = refusal.value.facts
        assert facts.keys() == (read.model_dump().keys() if read is not None else set())
