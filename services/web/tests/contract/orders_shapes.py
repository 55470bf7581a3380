"""How orders answers web, as web's contract says it, and the refusals that a page explains."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from chassis.http import ProviderProblem
from contracts import matchers
from contracts.consumer import Ask, Asking, State, an_id, ask, problem
from services.web.clients.orders import PLACE_ORDER, OrdersClient

TOKEN = "a.persons.token"
KEY = "a-form-that-was-sent-once"
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
        "hold_expires_at": matchers.timestamp(),
        "hold_longest_until": matchers.timestamp() if state == "held" else matchers.nothing(),
        "redirect_url": matchers.nothing(),
        "last_decline": matchers.nothing(),
        "created_at": matchers.timestamp(),
        "trace_id": matchers.text("0af7651916cd43dd8448eb211c80319c", r"^[0-9a-f]{32}$"),
    }
    return made | changes


# Nothing is held yet; and an order may be placed outside of any trace.
BEING_PLACED = {
    "state": "placing",
    "lines": [],
    "hold_expires_at": matchers.nothing(),
    "trace_id": matchers.nothing(),
}
A_PAGE_TO_PAY = {"redirect_url": matchers.address("http://bank.test/pay/1")}


def ask_to_place(
    buyer: UUID, event_id: UUID, class_id: UUID | None, seats: tuple[str, ...] = (), quantity: int = 2
) -> Ask:
    body = {
        "event_id": str(event_id),
        "places": [{"class_id": str(class_id), "quantity": quantity}] if class_id else [],
        "seats": list(seats),
    }
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
