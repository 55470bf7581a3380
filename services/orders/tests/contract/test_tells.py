"""Orders' facts are what their consumers need: those that real changes of real orders leave in the outbox.

So are its bus messages: those that a placed order makes.
"""

import asyncio
from uuid import uuid4

from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import provided, told_by, verify_facts, verify_messages
from services.orders.app import create_app
from services.orders.domain import Happening, OrderState
from services.orders.events import OrderCancelled, OrderConfirmed
from services.orders.settings import OrdersSettings
from services.orders.tests.contract.desk import Desk, open_desk
from services.orders.tests.integration.neighbours import Neighbours

CHANGED = "bus.orders.order_changed"
TO_CONFIRMED = (Happening.PAYMENT_AUTHORISED, Happening.PLACES_COMMITTED, Happening.CAPTURED)
TO_MONEY_BACK = (Happening.PAYMENT_AUTHORISED, Happening.PLACES_GONE, Happening.GIVEN_BACK)
TO_NOTHING = (Happening.BUYER_CANCELLED, Happening.GIVEN_BACK)


async def told_after(desk: Desk, happenings: tuple[Happening, ...], subject: str, *, seat: bool = False) -> bytes:
    order = await desk.order(
        order_id=uuid4(),
        hold_id=uuid4(),
        person_id=uuid4(),
        state=OrderState.PAYING,
        payment_id=uuid4(),
        seat=seat,
    )
    for happening in happenings:
        order = await desk.changes.apply(order, happening)
    return (await told_by(desk.database))[subject]


async def test_orders_tells_what_its_consumers_need(harness: Harness) -> None:
    with_tracing()
    async with open_desk(harness) as desk:
        confirmed, cancelled = OrderConfirmed.subject, OrderCancelled.subject
        await verify_facts(
            "orders",
            hearers=["notifications", "tickets", "web"],
            facts={
                f"{confirmed} of places": await told_after(desk, TO_CONFIRMED, confirmed),
                f"{confirmed} of seats": await told_after(desk, TO_CONFIRMED, confirmed, seat=True),
                f"{cancelled} after money": await told_after(desk, TO_MONEY_BACK, cancelled),
                f"{cancelled} without money": await told_after(desk, TO_NOTHING, cancelled),
            },
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
            await verify_messages("orders", watchers=["web"], messages={CHANGED: message})
