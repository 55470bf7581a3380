"""What notifications reads in the facts of tickets."""

from typing import Any

import pytest

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from services.notifications.tests.contract.mails import open_mails

tickets = hears("notifications", "tickets")


@pytest.mark.parametrize(
    ("flavour", "label"),
    [("of places", matchers.nothing()), ("of seats", matchers.text("Row A, seat 1"))],
    ids=["places", "seats"],
)
async def test_issued_tickets_call_for_a_mail(tickets: Hearing, harness: Harness, flavour: str, label: Any) -> None:
    order_id = an_id(f"notifications hears tickets: order {flavour}")
    data = {
        "order_id": matchers.identifier(order_id),
        "order_number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("notifications hears tickets: buyer")),
        "event_title": matchers.text("Hamlet"),
        "venue_name": matchers.text("Globe"),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "tickets": matchers.several({"class_name": matchers.text("Stalls"), "seat_label": label}),
    }
    async with open_mails(harness) as mails:
        with tickets.told("events.tickets.tickets_issued.v1", data, about=order_id, flavour=flavour) as event:
            (mail,) = await mails.after(event)
            assert (mail["order_id"], mail["order_number"]) == (order_id, "K7Q2-9MXA")
            assert len(mail["content"]["tickets"]) == 1
