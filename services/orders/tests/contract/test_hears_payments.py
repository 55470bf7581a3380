"""What orders reads in the facts of payments."""

from typing import Any

import pytest

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.orders.domain import OrderState
from services.orders.tests.desk import open_desk

payments = hears("orders", "payments")


@pytest.mark.parametrize(
    ("fact", "more", "becomes"),
    [
        ("payment_authorised", {}, OrderState.AUTHORISED),
        ("payment_declined", {"reason": matchers.text("insufficient_funds", r"^[a-z_]+$")}, OrderState.HELD),
    ],
    ids=["authorised", "declined"],
)
async def test_an_order_follows_its_payment(
    payments: Hearing, harness: Harness, fact: str, more: dict[str, Any], becomes: OrderState
) -> None:
    order_id, payment_id = an_id(f"orders hears {fact}: order"), an_id(f"orders hears {fact}: payment")
    data = {"payment_id": matchers.identifier(payment_id), "order_id": matchers.identifier(order_id), **more}
    async with open_desk(harness) as desk:
        await desk.order(
            order_id=order_id,
            hold_id=an_id(f"orders hears {fact}: hold"),
            person_id=an_id("buyer"),
            state=OrderState.PAYING,
            payment_id=payment_id,
        )
        with payments.published(f"events.payments.{fact}.v1", data, about=payment_id) as event:
            await deliver(desk.inbox, desk.database, event)
            assert await desk.state_of(order_id) is becomes
