"""Places in two databases, and an event that moves from one to the other while it is bought."""

import asyncio

import pytest

from local.buyer import Buyer, Purchase, Wish
from local.move_bucket import move_bucket
from local.running import Running
from local.temporary import temporary_system
from services.inventory.buckets import BUCKETS
from services.inventory.moving import Moved
from tests.books import assert_promises_hold

pytestmark = pytest.mark.system

BUYERS = 12


def test_all_buckets_move_there_and_back_while_people_buy() -> None:
    with temporary_system(shards=2) as system:
        running = Running.find(system.layout.folder)
        bought, moved = asyncio.run(_buy_and_move(running))
        failures = [each.failure for each in bought if each.failure is not None]
        assert failures == []
        assert {each.order_state for each in bought} == {"confirmed"}
        assert {each.source for each in moved} == {each.target for each in moved} == {0, 1}
        assert sum(each.holds for each in moved) > 0
        assert_promises_hold(system)


async def _buy_and_move(running: Running) -> tuple[list[Purchase], list[Moved]]:
    buying = asyncio.gather(*(_buy(running) for _ in range(BUYERS)))
    moved: list[Moved] = []
    buckets = [int(url.rstrip("/")[-2:], 16) % BUCKETS for url in await _events(running)]
    while not buying.done() or len(moved) < 2 * len(buckets):
        moved += [await move_bucket(running, bucket) for bucket in buckets]
    return await buying, moved


async def _events(running: Running) -> list[str]:
    return list(await Buyer(running.addresses, Wish(places=1)).find_events())


async def _buy(running: Running) -> Purchase:
    wish = Wish(places=2)
    return await Buyer(running.addresses, wish).buy(await _events(running))
