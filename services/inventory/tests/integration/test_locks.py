"""Whoever changes several places locks them in one order, so that two who do it at once wait for each other and not both for ever."""

import asyncio
from contextlib import AbstractAsyncContextManager
from uuid import UUID, uuid4

import asyncpg
import pytest

from chassis import testing_databases
from chassis.testing import Harness
from chassis.testing_databases import is_waited_for
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings
from services.inventory.tests.integration.conftest import SEATS, Shop, publish

ENDS = ["commit", "release"]


def somebody_else(shop: Shop) -> AbstractAsyncContextManager[asyncpg.Connection]:
    """Another process in the middle of its transaction."""
    url = shop.app.app.state.service.settings.database_url.get_secret_value()
    return testing_databases.somebody_else(url)


@pytest.mark.parametrize("end", ENDS)
async def test_seats_of_a_hold_are_changed_in_the_order_in_which_wishes_lock_them(shop: Shop, end: str) -> None:
    held = (await shop.hold(seats=SEATS[:2])).json()["hold_id"]
    # The first one lies behind the second one then: whoever goes through them as they lie begins with the wrong one.
    await shop.write(
        "WITH gone AS (DELETE FROM seat WHERE seat_id = 'A1' RETURNING *) INSERT INTO seat SELECT * FROM gone"
    )
    lock = "SELECT FROM seat WHERE seat_id = $1 FOR UPDATE"
    async with somebody_else(shop) as other:
        await other.execute(lock, SEATS[0])
        ending = asyncio.create_task(shop.end(held, end))
        await shop.harness.eventually(lambda: is_waited_for(other))
        await other.execute(lock, SEATS[1])
    assert (await ending).status_code == 200


@pytest.mark.parametrize("end", ENDS)
async def test_classes_of_a_hold_are_counted_in_the_order_in_which_wishes_lock_them(shop: Shop, end: str) -> None:
    first, second = sorted([shop.standing, uuid4()])
    other_class = second if first == shop.standing else first
    columns = "event_id, kind, capacity"
    await shop.write(
        f"INSERT INTO ticket_class (class_id, name, {columns}) SELECT '{other_class}', 'Lawn', {columns}"  # noqa: S608
        f" FROM ticket_class WHERE class_id = '{shop.standing}'"
    )
    held = await _of_both(shop, other_class)
    await shop.write(f"UPDATE ticket_class SET name = name WHERE class_id = '{first}'")  # noqa: S608
    lock = "SELECT FROM ticket_class WHERE class_id = $1 FOR UPDATE"
    async with somebody_else(shop) as other:
        await other.execute(lock, first)
        ending = asyncio.create_task(shop.end(held, end))
        await shop.harness.eventually(lambda: is_waited_for(other))
        await other.execute(lock, second)
    assert (await ending).status_code == 200


async def test_who_wants_a_seat_of_a_hold_that_ran_out_gets_it_while_another_buyer_wants_all_of_its_seats(
    harness: Harness,
) -> None:
    settings = harness.settings(InventorySettings, sweep_every_seconds=3600)
    async with harness.running(create_app, settings) as app:
        shop = Shop(app, harness, uuid4(), uuid4(), uuid4())
        await publish(shop)
        await shop.hold(seats=["A1", "B1"])
        await shop.write("UPDATE hold SET expires_at = now() - interval '1 second'")
        lock = "SELECT FROM seat WHERE seat_id = $1 FOR UPDATE"
        async with somebody_else(shop) as other:
            await other.execute(lock, "A1")
            asking = asyncio.create_task(shop.hold(seats=["B1"]))
            await harness.eventually(lambda: is_waited_for(other))
            await other.execute(lock, "B1")
        assert (await asking).status_code == 201


async def _of_both(shop: Shop, other_class: UUID) -> UUID:
    """A hold of a place in each of the two classes."""
    hold_id = uuid4()
    places = [{"class_id": str(each), "quantity": 1} for each in (shop.standing, other_class)]
    body = {"order_id": str(uuid4()), "places": places, "seats": [], "ttl_seconds": 600}
    url = f"/events/{shop.event_id}/holds/{hold_id}"
    answer = await shop.app.http.put(url, json=body, headers=shop.harness.headers("orders", to="inventory"))
    assert answer.status_code == 201
    return hold_id
