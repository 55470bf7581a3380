"""What web reads in the facts of orders: which open order pages must look again."""

import pytest

from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from contracts.demanded import refuse_unread
from services.web.buying.order_watchers import OrderHeard
from services.web.tests.contract.listening import NotingWatchers

orders = hears("web", "orders")


@pytest.mark.parametrize(("fact", "flavour"), [("order_confirmed", "of places"), ("order_cancelled", "after money")])
async def test_open_pages_of_an_order_look_again(orders: Hearing, fact: str, flavour: str) -> None:
    order_id = an_id(f"web hears orders: {fact}")
    watchers = NotingWatchers()
    data = {"order_id": matchers.identifier(order_id)}
    with orders.published(f"events.orders.{fact}.v1", data, about=order_id, flavour=flavour) as event:
        refuse_unread(event.data, OrderHeard, event.type)
        await watchers.on_fact(event)
        assert watchers.heard == [order_id]
