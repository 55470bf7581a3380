"""The best seats of a class over real Postgres: together, each once, and the same again for who asks again."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.ids import uuid7
from chassis.testing import Harness
from services.inventory.app import create_app
from services.inventory.domain import NoneLeft, Wish
from services.inventory.service import Hold, Inventory
from services.inventory.settings import InventorySettings
from services.inventory.shards import Shards
from services.inventory.tests.integration.conftest import Shop

ROWS, SEATS = "ABCD", 6


@pytest.fixture
async def house(shop: Shop) -> Shop:
    """The shop, whose stalls have four rows of six seats with their places in them."""
    seats = [
        {
            "seat_id": f"{row}{place}",
            "label": f"Seat {row}{place}",
            "class_id": str(shop.stalls),
            "row_id": row,
            "place_in_row": place,
        }
        for row in ROWS
        for place in range(1, SEATS + 1)
    ]
    part = {"event_id": str(shop.event_id), "part": 1, "parts": 1, "seats": seats}
    await shop.harness.tell("events.catalog.seats_published.v1", part, aggregate_id=str(shop.event_id))

    async def are_known() -> bool:
        (row,) = await shop.rows("SELECT count(*) AS seats FROM seat WHERE row_id IS NOT NULL")
        return bool(row["seats"] == len(seats))

    await shop.harness.eventually(are_known)
    return shop


async def best(shop: Shop, quantity: int, **more: Any) -> httpx.Response:
    return await shop.hold(places=[{"class_id": str(shop.stalls), "quantity": quantity}], **more)


def seats_of(held: httpx.Response) -> list[str]:
    return sorted(line["seat_id"] for line in held.json()["lines"])


async def test_friends_get_seats_beside_each_other(house: Shop) -> None:
    held = await best(house, 3)
    assert held.status_code == 201
    seats = seats_of(held)
    assert len({seat[0] for seat in seats}) == 1
    numbers = [int(seat[1:]) for seat in seats]
    assert numbers in ([1, 2, 3], [4, 5, 6]), "In a row of six nobody is left alone."


async def test_asked_again_it_is_the_same_hold(house: Shop) -> None:
    same = {"hold_id": uuid7(), "order_id": uuid4()}
    first, again = await best(house, 2, **same), await best(house, 2, **same)
    assert (first.status_code, again.status_code) == (201, 200)
    assert seats_of(first) == seats_of(again)
    assert (await best(house, 3, **same)).json()["code"] == "hold_differs"


async def test_a_crowd_gets_each_seat_once_in_one_process_and_in_two(
    house: Shop, harness: Harness, inventory_settings: InventorySettings
) -> None:
    async with harness.running(create_app, inventory_settings) as app:
        beside = Shop(app, harness, house.event_id, house.standing, house.stalls)
        answers = await asyncio.gather(*(best(each, 2) for _ in range(12) for each in (house, beside)))
    granted = [seat for answer in answers if answer.status_code == 201 for seat in seats_of(answer)]
    assert len(granted) == len(set(granted))
    assert {answer.status_code for answer in answers} <= {201, 409, 410}
    left = (await house.left())["stalls"]
    assert left == len(ROWS) * SEATS - len(granted)
    if left:
        assert (await best(house, left)).status_code == 201
    assert (await best(house, 1)).status_code == 410


async def test_seats_that_nobody_paid_for_in_time_are_given_to_who_comes_now(house: Shop) -> None:
    await best(house, 24)
    assert (await best(house, 2)).json()["detail"].startswith("None are left right now: all are sold or in carts.")
    await house.write("UPDATE hold SET expires_at = now() - interval '1 second'")
    await house.harness.eventually(lambda: is_granted(house))


async def is_granted(house: Shop) -> bool:
    return (await best(house, 2)).status_code == 201


async def test_fewer_than_were_wanted_are_said(house: Shop) -> None:
    await best(house, 23)
    refused = await best(house, 2)
    assert (refused.status_code, refused.json()["available"]) == (409, 1)


async def test_chosen_seats_and_places_go_together(house: Shop) -> None:
    places = [{"class_id": str(house.stalls), "quantity": 2}, {"class_id": str(house.standing), "quantity": 1}]
    held = await house.hold(places=places, seats=["A1"])
    assert held.status_code == 201
    lines = held.json()["lines"]
    assert sum(line["quantity"] for line in lines) == 4
    assert "A1" in [line["seat_id"] for line in lines]
    sold = await house.end(held.json()["hold_id"], "commit")
    assert sold.json()["state"] == "committed"


async def test_who_cannot_have_all_that_was_wished_takes_no_seats_from_those_behind(house: Shop) -> None:
    balcony, columns = uuid4(), "event_id, kind, capacity"
    await house.write(
        f"INSERT INTO ticket_class (class_id, name, {columns}) SELECT '{balcony}', 'Balcony', {columns}"  # noqa: S608
        f" FROM ticket_class WHERE class_id = '{house.stalls}'"
    )
    service = house.app.app.state.service
    inventory = Inventory(Shards(service._databases), service.bus)
    both = Wish(uuid7(), uuid4(), ((house.stalls, 24), (balcony, 1)), (), 600)
    behind = Wish(uuid7(), uuid4(), ((house.stalls, 24),), (), 600)
    refused, held = await inventory.place_holds(house.event_id, [both, behind])
    assert isinstance(refused, NoneLeft)
    assert isinstance(held, Hold)
