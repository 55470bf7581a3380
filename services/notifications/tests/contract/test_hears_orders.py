"""What notifications reads in the facts of orders."""

from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Hearing, an_id, hears
from services.notifications.tests.contract.mails import open_mails

orders = hears("notifications", "orders")


async def test_whoever_gets_money_back_is_notified(orders: Hearing, harness: Harness) -> None:
    order_id = an_id("notifications hears orders: order")
    data = {
        "order_id": matchers.identifier(order_id),
        "number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("notifications hears orders: buyer")),
        "event_title": matchers.text("Hamlet"),
        "reason": matchers.one_of("places_gone", "expired", "buyer", "refused", "payment_failed", "event_cancelled"),
        "paid": True,
    }
    async with open_mails(harness) as mails:
        with orders.published("events.orders.order_cancelled.v1", data, about=order_id, flavour="after money") as event:
            (mail,) = await mails.after(event)
            assert (mail["order_id"], mail["content"]["reason"]) == (order_id, "places_gone")


async def test_whoever_paid_nothing_is_not_bothered(orders: Hearing, harness: Harness) -> None:
    order_id = an_id("notifications hears orders: order that nobody paid")
    data = {
        "order_id": matchers.identifier(order_id),
        "number": matchers.text("K7Q2-9MXA"),
        "person_id": matchers.identifier(an_id("notifications hears orders: buyer")),
        "event_title": matchers.text("Hamlet"),
        "reason": matchers.one_of("expired", "buyer", "refused", "payment_failed", "places_gone", "event_cancelled"),
        "paid": False,
    }
    async with open_mails(harness) as mails:
        with orders.published(
            "events.orders.order_cancelled.v1", data, about=order_id, flavour="without money"
        ) as event:
            assert await mails.after(event) == []
