"""A replica that is far behind: whoever buys sees what they do, at once and to the end."""

import asyncio

import pytest

from local.buyer import Buyer, Purchase, Wish
from local.lag import set_lag
from local.running import Running
from local.temporary import temporary_system
from tests.books import assert_promises_hold

pytestmark = pytest.mark.system

# Nothing that is written during this test reaches the replica while it lasts.
BEHIND_SECONDS = 600.0


def test_somebody_buys_although_the_replica_is_minutes_behind() -> None:
    with temporary_system(replicas=1) as system:
        running = Running.find(system.layout.folder)
        asyncio.run(set_lag(running, BEHIND_SECONDS))
        purchase = asyncio.run(_buy(running))
        assert purchase.failure is None, purchase.failure
        assert (purchase.order_state, len(purchase.ticket_codes)) == ("confirmed", 2)
        assert_promises_hold(system)


async def _buy(running: Running) -> Purchase:
    wish = Wish(places=2)
    urls = await Buyer(running.addresses, wish).find_events()
    return await Buyer(running.addresses, wish).buy(urls)
