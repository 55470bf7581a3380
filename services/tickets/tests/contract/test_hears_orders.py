"""What tickets reads in the facts of orders."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.tickets import queries
from services.tickets.app import create_app
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import NOWHERE

orders = hears("tickets", "orders")

PLACES = {
    "class_name": matchers.text("Standing"),
    "seat_id": matchers.nothing(),
    "seat_label": matchers.nothing(),
    "quantity": matchers.integer(2),
    # To the letter: in another unit it would be another number, and of the same type.
    "unit_price_minor": 2500,
}
WITH_STREET = {
    "venue_street": matchers.text("Spreeufer 1"),
    "venue_country": matchers.text("DE"),
    "doors_at": matchers.timestamp("2031-06-21T17:00:00Z"),
}
WITHOUT_STREET = dict.fromkeys(WITH_STREET, matchers.nothing())
VERSION = 3
A_SEAT = {
    "class_name": matchers.text("Stalls"),
    "seat_id": matchers.text("A1"),
    "seat_label": matchers.text("Row A, seat 1"),
    "quantity": 1,
    "unit_price_minor": matchers.money(4200),
}


def order_confirmed(order_id: UUID, line: dict[str, Any], where: dict[str, Any]) -> dict[str, Any]:
    ids = {name: matchers.identifier(an_id(f"{order_id}: {name}")) for name in ("line_id", "class_id")}
    return {
        "order_id": matchers.identifier(order_id),
        "number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("tickets hears orders: buyer")),
        "event_id": matchers.identifier(an_id("tickets hears orders: event")),
        "event_title": matchers.text("Hamlet"),
        "venue_name": matchers.text("Globe"),
        "venue_city": matchers.text("Berlin"),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "currency": matchers.currency(),
        "lines": matchers.several({**ids, **line}),
        "event_version": matchers.integer(VERSION),
        **where,
    }


@pytest.mark.parametrize(
    ("flavour", "line", "where", "labels", "street"),
    [
        ("of places", PLACES, WITHOUT_STREET, [None, None], None),
        ("of seats", A_SEAT, WITH_STREET, ["Row A, seat 1"], "Spreeufer 1"),
    ],
    ids=["places", "seats"],
)
async def test_a_confirmed_order_becomes_a_ticket_for_each_place(
    orders: Hearing,
    harness: Harness,
    flavour: str,
    line: dict[str, Any],
    where: dict[str, Any],
    labels: list[str | None],
    street: str | None,
) -> None:
    settings = harness.settings(
        TicketsSettings, signing_key_file=harness.keys.key_file("tickets"), accounts_url=NOWHERE
    )
    database = Database(settings)
    inbox = create_app(settings).state.service.inboxes[0]
    order_id = an_id(f"tickets hears orders: order {flavour}")
    data = order_confirmed(order_id, line, where)
    with orders.published("events.orders.order_confirmed.v1", data, about=order_id, flavour=flavour) as event:
        await deliver(inbox, database, event)
        async with database.reader() as reads:
            tickets = await queries.tickets_of_order(reads, order_id)
        assert [ticket.seat_label for ticket in tickets] == labels
        assert {ticket.event_version for ticket in tickets} == {VERSION}
        assert {ticket.venue_street for ticket in tickets} == {street}
        assert {ticket.doors_at for ticket in tickets} == {datetime(2031, 6, 21, 17, tzinfo=UTC) if street else None}
    await database.close()
