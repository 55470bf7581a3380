"""What web reads in the bus messages of orders: which open order pages must look again, and whether one that was just placed stands."""

from typing import get_args

import orjson

from contracts import matchers
from contracts.consumer import Watching, an_id, watches
from contracts.demanded import refuse_unread
from services.web.buying.just_placed import JustPlaced, OrderMoved
from services.web.buying.order_watchers import OrderHeard
from services.web.clients.orders import OrderState
from services.web.tests.contract.listening import NotingWatchers
from services.web.tests.unit.buying.test_just_placed import visitor
from services.web.tests.unit.buying.test_views import order

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


async def test_an_order_that_was_just_placed_is_asked_for_when_it_has_moved_on(orders: Watching) -> None:
    order_id = an_id("web watches orders: order that moves on")
    kept, buyer = JustPlaced(), visitor()
    kept.keep(buyer, order(order_id=order_id, state="placing"))
    states = [state for state in get_args(OrderState) if state != "held"]
    said = {"order_id": matchers.identifier(order_id), "state": matchers.one_of("held", *states)}
    with orders.said(SUBJECT, said, flavour="that says how it is") as body:
        payload = orjson.loads(body)
        refuse_unread(payload, OrderMoved, SUBJECT)
        await kept.on_order_changed(f"{SUBJECT}.{order_id}", payload)
        assert kept.take(buyer, order_id) is None
