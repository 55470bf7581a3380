"""A purchase as orders sees it, over real Postgres, NATS and HTTP."""

import asyncio
from uuid import uuid4

from services.orders.tests.integration.conftest import Desk
from services.orders.tests.integration.neighbours import PRICE_MINOR

AUTHORISED = "events.payments.payment_authorised.v1"
DECLINED = "events.payments.payment_declined.v1"
CONFIRMED = "events.orders.order_confirmed.v1"
CANCELLED = "events.orders.order_cancelled.v1"


async def test_a_paid_order_is_confirmed_once_and_published(desk: Desk) -> None:
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    desk.neighbours.authorise(payment_id)
    await desk.harness.tell(AUTHORISED, {"payment_id": payment_id, "order_id": order["order_id"]})
    confirmed = await desk.in_state(order["order_id"], "confirmed")
    assert confirmed["total_minor"] == 2 * PRICE_MINOR
    assert desk.neighbours.captures == [payment_id]
    assert desk.neighbours.hold_states() == ["committed"]
    fact = (await desk.harness.heard(CONFIRMED))["data"]
    assert fact["number"] == order["number"]
    assert [line["quantity"] for line in fact["lines"]] == [2]


async def test_a_buyer_who_comes_back_before_the_webhook_is_confirmed_at_once(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    assert (await desk.act(order["order_id"], "refresh")).json()["state"] == "confirmed"


async def test_webhook_and_return_at_the_same_moment_capture_once(desk: Desk) -> None:
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    desk.neighbours.authorise(payment_id)
    fact = {"payment_id": payment_id, "order_id": order["order_id"]}
    await asyncio.gather(
        desk.harness.tell(AUTHORISED, fact), *(desk.act(order["order_id"], "refresh") for _ in range(4))
    )
    await desk.in_state(order["order_id"], "confirmed")
    assert desk.neighbours.captures == [payment_id]
    changes = await desk.rows("SELECT happening FROM order_change ORDER BY change_no")
    assert [change["happening"] for change in changes] == [
        "hold_granted",
        "payment_begun",
        "payment_authorised",
        "places_committed",
        "captured",
    ]


async def test_prices_are_a_snapshot(desk: Desk) -> None:
    order = (await desk.place(quantity=3)).json()
    assert order["lines"][0]["unit_price_minor"] == PRICE_MINOR
    assert order["total_minor"] == 3 * PRICE_MINOR
    assert order["hold_expires_at"] > order["created_at"]


async def test_the_same_key_places_one_order(desk: Desk) -> None:
    first = (await desk.place(key="one-click")).json()
    second = (await desk.place(key="one-click")).json()
    assert first["order_id"] == second["order_id"]
    assert len(desk.neighbours.holds) == 1


async def test_a_free_order_needs_no_payment(desk: Desk) -> None:
    free = [{"class_id": str(desk.neighbours.free_class_id), "quantity": 1}]
    order = (await desk.place(places=free)).json()
    going_on = (await desk.checkout(order["order_id"])).json()
    assert going_on["redirect_url"] is None
    assert going_on["state"] == "confirmed"
    assert desk.neighbours.payments == {}


async def test_after_a_decline_the_buyer_pays_with_another_card_while_the_hold_lasts(desk: Desk) -> None:
    order = await desk.paying()
    first = desk.payment_of(order)
    await desk.harness.tell(
        DECLINED, {"payment_id": first, "order_id": order["order_id"], "reason": "insufficient_funds"}
    )
    held = await desk.in_state(order["order_id"], "held")
    assert held["last_decline"] == "insufficient_funds"
    again = (await desk.checkout(order["order_id"])).json()
    second = desk.payment_of(again)
    assert second != first
    desk.neighbours.authorise(second)
    assert (await desk.act(order["order_id"], "refresh")).json()["state"] == "confirmed"
    assert desk.neighbours.captures == [second]


async def test_two_clicks_on_pay_begin_one_payment(desk: Desk) -> None:
    order = (await desk.place()).json()
    answers = await asyncio.gather(*(desk.checkout(order["order_id"]) for _ in range(3)))
    assert len({answer.json()["redirect_url"] for answer in answers}) == 1
    assert len(desk.neighbours.payments) == 1


async def test_what_inventory_refuses_is_answered_with_the_seats(desk: Desk) -> None:
    desk.neighbours.refuse("hold", 409, "seats_taken")
    refused = await desk.place(places=[], seats=["A1", "A2"])
    assert (refused.status_code, refused.json()["code"], refused.json()["seat_ids"]) == (409, "seats_taken", ["A1"])
    desk.neighbours.refuse("hold", 409, "sold_out")
    assert (await desk.place()).json()["code"] == "sold_out"
    states = await desk.rows("SELECT state, reason, due_at FROM purchase_order")
    assert states == [{"state": "cancelled", "reason": "refused", "due_at": None}] * 2


async def test_wishes_that_make_no_sense_are_refused_before_anything_is_held(desk: Desk) -> None:
    assert (await desk.place(quantity=7)).json()["code"] == "too_many_places"
    assert (await desk.place(places=[])).json()["code"] == "no_places"
    assert (await desk.place(event_id=str(uuid4()))).json()["code"] == "event_unknown"
    assert (await desk.place(price_minor=1)).json()["code"] == "request_invalid"
    desk.neighbours.on_sale = False
    assert (await desk.place()).json()["code"] == "not_on_sale"
    assert desk.neighbours.holds == {}


async def test_somebody_elses_order_is_unknown(desk: Desk) -> None:
    order = (await desk.place()).json()
    desk.buyer = uuid4()
    assert (await desk.order(order["order_id"]))["code"] == "order_unknown"
    for what in ("refresh", "cancel"):
        assert (await desk.act(order["order_id"], what)).status_code == 404
    assert (await desk.checkout(order["order_id"])).status_code == 404
    listed = await desk.app.http.get("/orders", headers=desk.headers())
    assert listed.json() == {"items": [], "next": None}


async def test_my_orders_come_page_by_page_newest_first(desk: Desk) -> None:
    placed = [(await desk.place()).json()["number"] for _ in range(3)]
    first = (await desk.app.http.get("/orders?limit=2", headers=desk.headers())).json()
    rest = (await desk.app.http.get(f"/orders?limit=2&after={first['next']}", headers=desk.headers())).json()
    assert [order["number"] for order in first["items"] + rest["items"]] == placed[::-1]
    assert rest["next"] is None


async def test_a_cancelled_order_gives_everything_back(desk: Desk) -> None:
    order = await desk.paying()
    cancelled = (await desk.act(order["order_id"], "cancel")).json()
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", "buyer")
    assert desk.neighbours.hold_states() == ["released"]
    assert desk.neighbours.payments[desk.payment_of(order)]["state"] == "voided"
    assert (await desk.harness.heard(CANCELLED))["data"]["paid"] is False


async def test_a_confirmed_order_cannot_be_cancelled(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    await desk.act(order["order_id"], "refresh")
    assert (await desk.act(order["order_id"], "cancel")).json()["code"] == "order_not_cancellable"


async def test_open_order_pages_are_notified(desk: Desk) -> None:
    said = await desk.harness.on_bus("bus.orders.order_changed.*")
    order = (await desk.place()).json()
    assert await asyncio.wait_for(said.get(), 10) == {"order_id": order["order_id"], "state": "held"}


async def test_a_try_that_never_held_a_place_is_no_order_of_the_buyer(desk: Desk) -> None:
    desk.neighbours.refuse("hold", 409, "seats_taken")
    assert (await desk.place()).status_code == 409
    kept = (await desk.place()).json()
    await desk.act(kept["order_id"], "cancel")
    await desk.in_state(kept["order_id"], "cancelled")
    listed = (await desk.app.http.get("/orders", headers=desk.headers())).json()["items"]
    assert [(order["order_id"], order["reason"]) for order in listed] == [(kept["order_id"], "buyer")]
