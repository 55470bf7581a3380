"""What notifications reads in the facts of tickets."""

from typing import Any

import pytest

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from services.notifications.tests.contract.mails import open_mails

tickets = hears("notifications", "tickets")


@pytest.mark.parametrize(
    ("flavour", "label", "where"),
    [
        (
            "of places",
            matchers.nothing(),
            # The sum to the letter: in another unit it would be another number of the same type.
            {"doors_at": matchers.nothing(), "venue_street": matchers.nothing(), "paid_minor": 5000},
        ),
        (
            "of seats",
            matchers.text("Row A, seat 1"),
            {
                "doors_at": matchers.timestamp("2031-06-21T17:00:00Z"),
                "venue_street": matchers.text("Spreeufer 1"),
                "paid_minor": 8500,
            },
        ),
    ],
    ids=["places", "seats"],
)
async def test_issued_tickets_call_for_a_mail(
    tickets: Hearing, harness: Harness, flavour: str, label: Any, where: dict[str, Any]
) -> None:
    order_id = an_id(f"notifications hears tickets: order {flavour}")
    data = {
        "order_id": matchers.identifier(order_id),
        "order_number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("notifications hears tickets: buyer")),
        "event_title": matchers.text("Hamlet"),
        "venue_name": matchers.text("Globe"),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "venue_city": matchers.text("Berlin"),
        "currency": matchers.currency(),
        **where,
        "tickets": matchers.several({"class_name": matchers.text("Stalls"), "seat_label": label}),
    }
    async with open_mails(harness) as mails:
        with tickets.published("events.tickets.tickets_issued.v1", data, about=order_id, flavour=flavour) as event:
            (mail,) = await mails.after(event)
            assert (mail["order_id"], mail["order_number"]) == (order_id, "K7Q2-9MXA")
            assert len(mail["content"]["tickets"]) == 1


MOVED = {
    "state": matchers.one_of("rescheduled", "scheduled"),
    "changes": matchers.several(matchers.one_of("starts_at", "venue", "doors_at", "title", "state", "codes")),
    "previous_starts_at": matchers.timestamp("2031-06-21T18:00:00Z"),
    "doors_at": matchers.timestamp("2031-07-05T17:00:00Z"),
    "venue_street": matchers.text("Spreeufer 2"),
}
CALLED_OFF = {
    "state": matchers.one_of("cancelled", "postponed", "moved_online"),
    "changes": matchers.several(matchers.one_of("state", "starts_at", "venue", "doors_at", "title", "codes")),
    "previous_starts_at": matchers.nothing(),
    "doors_at": matchers.nothing(),
    "venue_street": matchers.nothing(),
}


@pytest.mark.parametrize(
    ("flavour", "how", "mail_name"),
    [("of a new date and place", MOVED, "new_date/2"), ("of a cancelled event", CALLED_OFF, "cancelled/2")],
    ids=["moved", "called off"],
)
async def test_an_event_that_is_not_as_it_was_calls_for_a_mail(
    tickets: Hearing, harness: Harness, flavour: str, how: dict[str, Any], mail_name: str
) -> None:
    order_id = an_id(f"notifications hears tickets: order {flavour}")
    data = {
        "order_id": matchers.identifier(order_id),
        "order_number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("notifications hears tickets: buyer")),
        "version": matchers.integer(2),
        "event_title": matchers.text("Hamlet"),
        "starts_at": matchers.timestamp("2031-07-05T18:00:00Z"),
        "time_zone": matchers.text("Europe/Berlin"),
        "venue_name": matchers.text("Rose"),
        "venue_city": matchers.text("Berlin"),
        **how,
    }
    async with open_mails(harness) as mails:
        with tickets.published("events.tickets.tickets_changed.v1", data, about=order_id, flavour=flavour) as event:
            (mail,) = await mails.after(event)
            assert (mail["order_id"], mail["template"]) == (order_id, mail_name)
