"""Everything that can die dies while people buy: whoever was told "confirmed" has tickets, and the books balance."""

import asyncio
import time
from collections import Counter

import pytest

from local.buyer import Buyer, Purchase, Wish
from local.system import System
from local.topology import SERVICES
from tests.books import read_books, rows
from tracing.assertions import wait_until_explained
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

AT_ONCE = 4
KILLED = (*SERVICES, "bank")
# The bank's cards of people whom luck has left: slow, captures that fail or break off, webhooks that come twice, late, never.
CARDS = (
    "4242 4242 4242 4242",
    "4000 0000 0000 1026",
    "4000 0000 0000 1034",
    "4000 0000 0000 1059",
    "4000 0000 0000 1075",
    "4000 0000 0000 0002",
    "4000 0000 0000 1042",
)
BETWEEN_SECONDS = 1.0
WITHOUT_NATS_SECONDS = 3.0
SETTLED_SECONDS = 90.0


async def test_the_books_balance_after_everything_has_died_once(fragile_system: System) -> None:
    system = fragile_system
    event_urls = await Buyer(system.addresses, Wish(places=1, prefer_general=True)).find_events()
    over = asyncio.Event()
    buying = [asyncio.create_task(buy_until(over, system, event_urls[0], number)) for number in range(AT_ONCE)]
    for name in KILLED:
        system.kill(name)
        await asyncio.sleep(BETWEEN_SECONDS)
    await die_and_rise_again(system)
    over.set()
    purchases = [purchase for one in await asyncio.gather(*buying) for purchase in one]
    system.wait_ready()
    await all_orders_have_ended(system)
    books = await read_books(system)
    assert (books.wrong, books.open_orders) == ([], [])
    confirmed = [purchase for purchase in purchases if purchase.ticket_codes]
    assert len(confirmed) >= 1, Counter(str(purchase.failure) for purchase in purchases)
    assert {purchase.order_number for purchase in confirmed} <= await confirmed_numbers(system)
    await every_trace_is_whole_or_explained(system)


async def buy_until(over: asyncio.Event, system: System, event_url: str, number: int) -> list[Purchase]:
    """One purchase after the other, with all kinds of cards; failures are part of life here."""
    purchases: list[Purchase] = []
    while not over.is_set():
        card = CARDS[(number + len(purchases) * AT_ONCE) % len(CARDS)]
        wish = Wish(places=1, prefer_general=True, card=card)
        purchases.append(await Buyer(system.addresses, wish).buy([event_url]))
    return purchases


async def die_and_rise_again(system: System) -> None:
    """First the broker is gone for a while, then the databases for a moment, both without a word."""
    assert system.nats is not None
    system.nats.kill()
    await asyncio.sleep(WITHOUT_NATS_SECONDS)
    await asyncio.to_thread(system.nats.start)
    system.postgres.kill()
    await asyncio.to_thread(system.postgres.start)
    await asyncio.sleep(BETWEEN_SECONDS)


async def all_orders_have_ended(system: System) -> None:
    """Waits; what is still open then is known by the books."""
    query = "SELECT number FROM purchase_order WHERE state NOT IN ('confirmed', 'cancelled')"
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        if not await rows(system, "orders", query) or time.monotonic() > deadline:
            return
        await asyncio.sleep(0.2)


async def every_trace_is_whole_or_explained(system: System) -> None:
    """Each order's trace: the spans that processes took along when they were killed are missing, and nothing else."""
    orders = await rows(system, "orders", "SELECT trace_id FROM purchase_order WHERE trace_id IS NOT NULL")
    with TraceReader(system.addresses["traces"], timeout_seconds=30) as reader:
        problems = []
        for order in orders:
            try:
                await wait_until_explained(reader, order["trace_id"])
            except AssertionError as error:
                problems.append(str(error))
    assert not problems, f"{len(problems)} of {len(orders)} traces, the first of them:\n{problems[0]}"


async def confirmed_numbers(system: System) -> set[str]:
    query = "SELECT number FROM purchase_order WHERE state = 'confirmed'"
    return {row["number"] for row in await rows(system, "orders", query)}
