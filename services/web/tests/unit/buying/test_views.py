"""What the page of an order says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.web.buying.views import order_view, phase_of
from services.web.clients.orders import Order

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def order(**values: Any) -> Order:
    line = {"class_name": "Entry", "seat_id": None, "seat_label": None, "quantity": 2, "unit_price_minor": 1500}
    defaults = {
        "order_id": uuid4(),
        "number": "K7Q2-9MXA",
        "state": "held",
        "event_id": uuid4(),
        "event_title": "Play",
        "event_starts_at": NOW + timedelta(days=9),
        "event_time_zone": "Europe/Berlin",
        "venue_name": "House",
        "currency": "EUR",
        "total_minor": 3000,
        "lines": [line],
        "hold_expires_at": NOW + timedelta(minutes=7),
        "created_at": NOW - timedelta(minutes=3),
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }
    return Order.model_validate(defaults | values)


@pytest.mark.parametrize(
    ("values", "returned", "tickets", "phase"),
    [
        ({"state": "placing"}, False, False, "placing"),
        ({"state": "held"}, False, False, "held"),
        ({"state": "held", "last_decline": "no money"}, False, False, "declined"),
        ({"state": "paying", "last_decline": "no money"}, True, False, "declined"),
        ({"state": "paying"}, False, False, "paying"),
        ({"state": "paying"}, True, False, "confirming"),
        ({"state": "authorised"}, False, False, "confirming"),
        ({"state": "committed"}, False, False, "confirming"),
        ({"state": "confirmed"}, False, False, "issuing"),
        ({"state": "confirmed"}, False, True, "confirmed"),
        ({"state": "cancelling"}, False, False, "cancelling"),
        ({"state": "cancelled", "reason": "expired"}, False, False, "cancelled"),
    ],
)
def test_every_state_has_a_phase(values: dict[str, Any], returned: bool, tickets: bool, phase: str) -> None:
    assert phase_of(order(**values), has_tickets=tickets, has_returned=returned) == phase


def test_only_what_moves_by_itself_is_asked_again_without_javascript() -> None:
    assert order_view(order(state="held"), now=NOW).refresh_seconds is None
    assert order_view(order(state="paying"), now=NOW).refresh_seconds is None
    assert order_view(order(state="authorised"), now=NOW).refresh_seconds == 3
    assert order_view(order(state="confirmed"), now=NOW).refresh_seconds == 3
    assert order_view(order(state="confirmed"), has_tickets=True, now=NOW).refresh_seconds is None


def test_the_countdown_is_measured_by_the_clock_of_the_server() -> None:
    view = order_view(order(), now=NOW)

    assert (view.seconds_left, view.seconds_whole) == (420, 600)
    assert order_view(order(), now=NOW + timedelta(hours=1)).seconds_left == 0


@pytest.mark.parametrize(
    "reason", ["expired", "buyer", "places_gone", "refused", "payment_failed", "something new", None]
)
def test_every_reason_of_a_cancelled_order_says_what_became_of_the_money(reason: str | None) -> None:
    view = order_view(order(state="cancelled", reason=reason), now=NOW)

    assert any(word in view.lead for word in ("charged", "money", "given back"))
    assert view.again


def test_lines_tell_seats_by_their_label_and_others_by_their_number() -> None:
    seat = {
        "class_name": "Premium",
        "seat_id": "a1",
        "seat_label": "Row 1, seat 1",
        "quantity": 1,
        "unit_price_minor": 4500,
    }
    entry = {"class_name": "Entry", "seat_id": None, "seat_label": None, "quantity": 2, "unit_price_minor": 1500}
    view = order_view(order(lines=[seat, entry]), now=NOW)

    assert [(line.name, line.detail, line.amount) for line in view.lines] == [
        ("Row 1, seat 1", "Premium", "€45.00"),
        ("2 \u00d7 Entry", "€15.00 each", "€30.00"),
    ]


def test_the_trace_of_an_order_is_linked_where_it_can_be_seen() -> None:
    assert order_view(order(), trace_url="http://traces", now=NOW).trace_link == (
        "http://traces/trace/0af7651916cd43dd8448eb211c80319c"
    )
    assert order_view(order(), now=NOW).trace_link is None
