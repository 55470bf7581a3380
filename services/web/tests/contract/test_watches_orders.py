"""What web reads in the bus messages of orders: which open order pages must look again."""

import orjson

from contracts import matchers
from contracts.consumer import Watching, an_id, watches
from contracts.demanded import refuse_unread
from services.web.buying.order_watchers import OrderHeard
from services.web.tests.contract.listening import NotingWatchers

orders = watches("web", "orders")

SUBJECT = "bus.orders.order_changed"


async def test_open_pages_of_an_order_look_again(orders: Watching) -> None:
    order_id = an_id("web watches orders: order")
    watchers = NotingWatchers()
    with orders.said(SUBJECT, {"order_id": matchers.identifier(order_id)}) as body:
        payload = orjson.loads(body)
        refuse_unread(payload, OrderHeard, SUBJECT)
        await watchers.on_order_changed(f"{SUBJECT}.{order_id}", payload)
        assert watchers.heard == [order_id]
