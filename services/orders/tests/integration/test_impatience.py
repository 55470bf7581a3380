"""Buyers who press twice, in two tabs, or while something else is under way."""

import asyncio
from uuid import UUID, uuid4

from chassis.testing import Harness
from services.orders import queries
from services.orders.app import create_app
from services.orders.domain import Happening
from services.orders.service.transitions import OrderTransitions
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.conftest import Desk
from services.orders.tests.integration.neighbours import Neighbours

DECLINED = "events.payments.payment_declined.v1"


async def test_a_free_order_that_is_taken_by_many_clicks_is_confirmed_once(desk: Desk) -> None:
    free = [{"class_id": str(desk.neighbours.free_class_id), "quantity": 1}]
    order = (await desk.place(places=free)).json()
    answers = await asyncio.gather(*(desk.checkout(order["order_id"]) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert all(answer.json()["code"] == "order_not_payable" for answer in answers if answer.status_code == 409)
    await desk.in_state(order["order_id"], "confirmed")


async def test_an_order_that_is_cancelled_by_many_clicks_is_cancelled_once_and_each_is_answered_so(desk: Desk) -> None:
    order = (await desk.place()).json()
    answers = await asyncio.gather(*(desk.act(order["order_id"], "cancel") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    await desk.in_state(order["order_id"], "cancelled")
    assert desk.neighbours.hold_states() == ["released"]


async def test_cancelling_in_one_tab_while_paying_begins_in_another_ends_in_one_of_the_two(desk: Desk) -> None:
    order = (await desk.place()).json()
    order_id = order["order_id"]
    begun, ended = await asyncio.gather(desk.checkout(order_id), desk.act(order_id, "cancel"))
    assert ended.status_code == 200
    assert begun.status_code in {200, 409, 410}
    await desk.in_state(order_id, "cancelled")
    assert {payment["state"] for payment in desk.neighbours.payments.values()} <= {"voided"}


async def test_whoever_ends_an_order_knows_the_payment_that_was_begun_after_they_looked_at_it(desk: Desk) -> None:
    order_id, service = UUID((await desk.place()).json()["order_id"]), desk.app.app.state.service
    database, transitions = service._databases[0], OrderTransitions(service._databases[0], service.bus)
    async with database.writer() as tx:
        looked_at = await queries.order_by_id(tx, order_id)
        assert looked_at is not None
        assert await queries.begin_payment(tx, looked_at, payment_id := uuid4())
    ended = await transitions.apply(looked_at, Happening.EVENT_CANCELLED)
    assert (looked_at.payment_id, ended.payment_id) == (None, payment_id)


async def test_a_first_click_that_is_answered_after_a_declined_card_does_not_hide_the_next_try(desk: Desk) -> None:
    order_id = (await desk.place()).json()["order_id"]
    answer_now = asyncio.Event()
    desk.neighbours.slow_begins.append(answer_now)
    slow_click = asyncio.create_task(desk.checkout(order_id))
    await desk.harness.eventually(lambda: asked(desk))
    first = desk.payment_of((await desk.checkout(order_id)).json())
    await desk.harness.tell(DECLINED, {"payment_id": first, "order_id": order_id, "reason": "card_declined"})
    await desk.in_state(order_id, "held")
    answer_now.set()
    await slow_click
    again = (await desk.checkout(order_id)).json()
    assert again["state"] == "paying"
    assert desk.payment_of(again) != first
    desk.neighbours.authorise(desk.payment_of(again))
    assert (await desk.act(order_id, "refresh")).json()["state"] == "confirmed"


async def test_who_takes_more_time_while_paying_begins_is_given_up_by_the_new_end_of_the_hold(desk: Desk) -> None:
    order = (await desk.place()).json()
    answer_now = asyncio.Event()
    desk.neighbours.slow_begins.append(answer_now)
    click = asyncio.create_task(desk.checkout(order["order_id"]))
    await desk.harness.eventually(lambda: asked(desk))
    until = (await desk.act(order["order_id"], "prolong")).json()["hold_expires_at"]
    assert until > order["hold_expires_at"]
    answer_now.set()
    begun = (await click).json()
    assert (begun["state"], begun["hold_expires_at"]) == ("paying", until)
    (row,) = await desk.rows("SELECT due_at >= hold_expires_at AS waits FROM purchase_order")
    assert row["waits"]


async def asked(desk: Desk) -> bool:
    return bool(desk.neighbours.payments) and not desk.neighbours.slow_begins


async def test_an_address_to_come_back_to_that_is_none_is_refused_before_anything_is_paid(desk: Desk) -> None:
    order_id = (await desk.place()).json()["order_id"]
    for address in ("http://", "http://a b", "https://x:99999/", "ftp://shop/", "javascript:alert(1)"):
        refused = await desk.act(order_id, "checkout", return_url=address)
        assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid"), address
    assert desk.neighbours.payments == {}


async def test_whoever_cancels_or_takes_a_free_order_is_answered_with_its_end_however_busy_the_worker_is(
    harness: Harness, orders_settings: OrdersSettings, neighbours: Neighbours
) -> None:
    restless = orders_settings.model_copy(update={"saga_every_seconds": 0.001})
    async with harness.running(create_app, restless) as app:
        desk = Desk(app, harness, neighbours)
        free = [{"class_id": str(neighbours.free_class_id), "quantity": 1}]
        for _ in range(10):
            cancelled = await desk.act((await desk.place()).json()["order_id"], "cancel")
            taken = await desk.checkout((await desk.place(places=free)).json()["order_id"])
            assert [answer.json()["state"] for answer in (cancelled, taken)] == ["cancelled", "confirmed"]
