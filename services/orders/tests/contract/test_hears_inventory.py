"""What orders reads in the facts of inventory."""

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.orders.domain import OrderState
from services.orders.tests.desk import open_desk

inventory = hears("orders", "inventory")


async def test_an_order_ends_when_its_places_were_given_back(inventory: Hearing, harness: Harness) -> None:
    order_id, hold_id = an_id("orders hears inventory: order"), an_id("orders hears inventory: hold")
    data = {"hold_id": matchers.identifier(hold_id), "order_id": matchers.identifier(order_id)}
    async with open_desk(harness) as desk:
        await desk.order(order_id=order_id, hold_id=hold_id, person_id=an_id("buyer"))
        with inventory.published("events.inventory.hold_expired.v1", data, about=hold_id) as event:
            await deliver(desk.inbox, desk.database, event)
            assert await desk.state_of(order_id) is OrderState.CANCELLING
