"""Orders' facts are what their consumers need: those that real changes of real orders leave in the outbox.

So are its bus messages: those that a placed order makes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import (
    Published,
    provided,
    published_by,
    refuse_published_after_rollback,
    verify_facts,
    verify_messages,
)
from local.topology import hearers_of, watchers_of
from services.orders.app import create_app
from services.orders.domain import Happening, OrderState
from services.orders.events import OrderCancelled, OrderConfirmed
from services.orders.settings import OrdersSettings
from services.orders.tests.desk import Desk, Lines, open_desk, two_places, two_seats
from services.orders.tests.integration.neighbours import Neighbours

CHANGED = "bus.orders.order_changed"
TO_CONFIRMED = (Happening.PAYMENT_AUTHORISED, Happening.PLACES_COMMITTED, Happening.CAPTURED)
TO_MONEY_BACK = (Happening.PAYMENT_AUTHORISED, Happening.PLACES_GONE, Happening.GIVEN_BACK)
TO_NOTHING = (Happening.BUYER_CANCELLED, Happening.GIVEN_BACK)


# What is known of the event of each order, and of the one with seats besides.
OF_THE_EVENT = {
    "event_title": "Hamlet",
    "venue_name": "Globe",
    "venue_city": "Berlin",
    "starts_at": datetime(2031, 6, 21, 18, tzinfo=UTC),
    "time_zone": "Europe/Berlin",
    "event_version": 1,
}
OF_ONE_WITH_SEATS = {
    "venue_street": "Spreeufer 1",
    "venue_country": "DE",
    "doors_at": datetime(2031, 6, 21, 17, tzinfo=UTC),
}


async def published_after(
    desk: Desk,
    happenings: tuple[Happening, ...],
    subject: str,
    *,
    lines_of: Lines = two_places,
    known: Mapping[str, Any] = MappingProxyType({}),
) -> Published:
    """The fact that an order ends with; `known`: what is known of it besides the event and what every order has."""
    ids: dict[str, Any] = {name: uuid4() for name in ("order_id", "person_id", "event_id")}
    order = await desk.order(
        **ids,
        hold_id=uuid4(),
        state=OrderState.PAYING,
        payment_id=uuid4(),
        lines_of=lines_of,
    )
    for happening in happenings:
        order = await desk.transitions.apply(order, happening)
    of_this = {**ids, "number": order.number, "lines": [asdict(line) for line in lines_of(order.order_id)]}
    return Published((await published_by(desk.database))[subject], {**OF_THE_EVENT, **of_this, **known})


async def test_orders_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    confirmed, cancelled = OrderConfirmed.subject, OrderCancelled.subject
    without_street = dict.fromkeys(OF_ONE_WITH_SEATS)
    async with open_desk(harness) as desk:
        await verify_facts(
            "orders",
            hearers=hearers_of("orders"),
            facts={
                f"{confirmed} of places": await published_after(desk, TO_CONFIRMED, confirmed, known=without_street),
                f"{confirmed} of seats": await published_after(
                    desk, TO_CONFIRMED, confirmed, lines_of=two_seats, known=OF_ONE_WITH_SEATS
                ),
                f"{cancelled} after money": await published_after(
                    desk, TO_MONEY_BACK, cancelled, known={"reason": "places_gone", "paid": True}
                ),
                f"{cancelled} without money": await published_after(
                    desk, TO_NOTHING, cancelled, known={"reason": "buyer", "paid": False}
                ),
            },
        )


async def test_orders_tells_nothing_of_what_was_rolled_back(harness: Harness) -> None:
    async with open_desk(harness) as desk:
        order = await desk.order(
            order_id=uuid4(),
            person_id=uuid4(),
            event_id=uuid4(),
            hold_id=uuid4(),
            payment_id=uuid4(),
            state=OrderState.PAYING,
        )
        *before, last = TO_CONFIRMED
        for happening in before:
            order = await desk.transitions.apply(order, happening)
        await refuse_published_after_rollback(
            "orders", desk.database, lambda tx: desk.transitions.apply_in(tx, order, last)
        )


async def test_orders_says_on_the_bus_what_its_consumers_need(harness: Harness) -> None:
    neighbours = Neighbours()
    async with harness.serving(neighbours.app()) as url:
        settings = harness.settings(OrdersSettings, catalog_url=url, inventory_url=url, payments_url=url)
        async with provided(create_app, settings, harness) as orders:
            said = await harness.overhear(f"{CHANGED}.*")
            wish = {
                "event_id": str(neighbours.event_id),
                "places": [{"class_id": str(neighbours.class_id), "quantity": 2}],
                "seats": [],
            }
            await orders.do("POST", "/orders", caller="web", person=uuid4(), body=wish)
            message = await asyncio.wait_for(said.get(), 10)
            await verify_messages(
                "orders",
                watchers=watchers_of("orders"),
                messages={CHANGED: message, f"{CHANGED} that says how it is": message},
            )
