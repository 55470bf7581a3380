"""One person holds at most as many unpaid places of an event as one order may have; whoever pays or lets go may go on."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from services.orders.domain import OpenOrder, Wish, check_open_orders
from services.orders.refusals import OrderStillOpen
from services.orders.tests.integration.conftest import Desk

MOST = 6


async def test_forty_places_in_four_orders_are_not_held_by_one_person(desk: Desk) -> None:
    first = (await desk.place(quantity=MOST)).json()
    refused = await desk.place(quantity=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "order_still_open")
    assert refused.json()["order_id"] == first["order_id"]
    assert f"Pay or cancel order {first['number']} first." in refused.json()["detail"]
    assert len(desk.neighbours.holds) == 1


async def test_parallel_clicks_do_not_get_by(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.place(quantity=3) for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 8}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"order_still_open"}
    assert sum(hold["state"] == "held" for hold in desk.neighbours.holds.values()) == 2


async def test_two_small_orders_of_one_person_are_no_hoard(desk: Desk) -> None:
    for _ in range(2):
        assert (await desk.place(quantity=MOST // 2)).status_code == 201


async def test_the_same_request_again_finds_its_order(desk: Desk) -> None:
    first = await desk.place(quantity=MOST, key="pressed-twice")
    again = await desk.place(quantity=MOST, key="pressed-twice")
    assert (first.status_code, again.json()["order_id"]) == (201, first.json()["order_id"])


@pytest.mark.parametrize("way", ["cancel", "pay"])
async def test_who_pays_or_cancels_may_go_on(desk: Desk, way: str) -> None:
    order = (await desk.place(quantity=MOST)).json()
    if way == "cancel":
        await desk.act(order["order_id"], "cancel")
        await desk.in_state(order["order_id"], "cancelled")
    else:
        paying = (await desk.checkout(order["order_id"])).json()
        assert (await desk.place(quantity=1)).status_code == 409
        desk.neighbours.authorise(desk.payment_of(paying))
        await desk.act(order["order_id"], "refresh")
        await desk.in_state(order["order_id"], "confirmed")
    assert (await desk.place(quantity=MOST)).status_code == 201


async def test_a_limit_of_buyers_counts_what_was_bought_as_well(desk: Desk) -> None:
    desk.neighbours.max_per_buyer = MOST + 2
    paying = (await desk.checkout((await desk.place(quantity=MOST)).json()["order_id"])).json()
    desk.neighbours.authorise(desk.payment_of(paying))
    await desk.act(paying["order_id"], "refresh")
    await desk.in_state(paying["order_id"], "confirmed")
    refused = await desk.place(quantity=3)
    assert (refused.status_code, refused.json()["code"], refused.json()["has"]) == (409, "limit_of_buyer", MOST)
    assert refused.json()["detail"].endswith("You have 6 of them: choose at most 2 more.")
    clicks = await asyncio.gather(*(desk.place(quantity=1) for _ in range(6)))
    assert Counter(answer.status_code for answer in clicks) == {201: 2, 409: 4}
    desk.buyer = uuid4()
    assert (await desk.place(quantity=MOST)).status_code == 201


async def test_what_was_given_back_counts_no_more(desk: Desk) -> None:
    desk.neighbours.max_per_buyer = MOST
    order = (await desk.place(quantity=MOST)).json()
    assert (await desk.place(quantity=1)).status_code == 409
    await desk.act(order["order_id"], "cancel")
    await desk.in_state(order["order_id"], "cancelled")
    assert (await desk.place(quantity=MOST)).status_code == 201


async def test_another_person_and_another_event_are_counted_by_themselves(desk: Desk) -> None:
    assert (await desk.place(quantity=MOST)).status_code == 201
    desk.buyer = uuid4()
    assert (await desk.place(quantity=MOST)).status_code == 201


def test_what_is_held_and_what_is_wished_count_together() -> None:
    wish = Wish(uuid4(), ((uuid4(), 3),), ("A1",))
    check_open_orders(wish, 4, [])
    check_open_orders(wish, 10, [OpenOrder(uuid4(), "A", 6)])
    with pytest.raises(OrderStillOpen):
        check_open_orders(wish, 10, [OpenOrder(uuid4(), "A", 4), OpenOrder(uuid4(), "B", 3)])
