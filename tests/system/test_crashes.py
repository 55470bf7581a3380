"""orders is killed after each step of the saga: the order ends confirmed or cleanly cancelled, never in between."""

import asyncio
import time
from typing import Any

import pytest

from local.buyer import Buyer, Wish
from local.system import System
from tests.books import read_books, rows
from tracing.assertions import wait_until_explained
from tracing.gaps import explain
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

# (where orders dies, how the order may end). Before the buyer has paid it can only be cancelled; afterwards it is confirmed.
POINTS = [
    ("before.hold", "cancelled"),
    ("before.hold_granted", "cancelled"),
    ("after.hold_granted", "cancelled"),
    ("before.payment_begun", "cancelled"),
    ("after.payment_begun", "cancelled"),
    ("before.payment_authorised", "confirmed"),
    ("after.payment_authorised", "confirmed"),
    ("before.places_committed", "confirmed"),
    ("after.places_committed", "confirmed"),
    ("before.captured", "confirmed"),
    ("after.captured", "confirmed"),
]
SETTLED_SECONDS = 60.0


async def test_an_order_survives_a_crash_after_each_step(fragile_system: System) -> None:
    system = fragile_system
    event_url = (await Buyer(system.addresses, Wish(places=1)).find_events())[0]
    before = await read_books(system)
    crashed: dict[str, Any] = {}
    for point, end in POINTS:
        known = {row["order_id"] for row in await orders_of(system)}
        await asyncio.to_thread(system.restart, "orders", {"ORDERS_CRASH_AT": f"orders.{point}"})
        pid = system.pid("orders")
        await walk_until_crash(system, event_url, pid)
        await end_leases(system)
        await asyncio.to_thread(system.restart, "orders")
        (order_id,) = {row["order_id"] for row in await orders_of(system)} - known
        crashed[point] = order_id
        if end == "confirmed":
            # Otherwise a message that is still under way to this order meets the next crash, which is meant for another order.
            await ends_of(system, {point: order_id})
    ends = await ends_of(system, crashed)
    assert ends == dict(POINTS)
    await gaps_are_explained(system, crashed)
    books = await read_books(system)
    assert (books.wrong, books.open_orders) == ([], [])
    assert books.confirmed - before.confirmed == [end for _, end in POINTS].count("confirmed")


async def gaps_are_explained(system: System, crashed: dict[str, Any]) -> None:
    """What orders took along when it died is missing from its traces, and each trace tells why."""
    query = "SELECT order_id, trace_id FROM purchase_order WHERE order_id = ANY($1)"
    traces = {row["order_id"]: row["trace_id"] for row in await rows(system, "orders", query, list(crashed.values()))}
    found = []
    with TraceReader(system.addresses["traces"], timeout_seconds=30) as reader:
        for order_id in crashed.values():
            trace = await wait_until_explained(reader, traces[order_id])
            found += explain(trace, reader)
    assert any("spans of orders are missing" in str(gap) for gap in found), [str(gap) for gap in found]


async def walk_until_crash(system: System, event_url: str, pid: int) -> None:
    """Buys like a person, until orders dies; fails if it does not."""
    buying = asyncio.create_task(Buyer(system.addresses, Wish(places=1)).buy([event_url]))
    try:
        deadline = time.monotonic() + 30
        while is_same_process(system, pid):
            assert time.monotonic() < deadline, f"orders did not die: {buying}"
            await asyncio.sleep(0.02)
    finally:
        buying.cancel()


async def end_leases(system: System) -> None:
    """What the dead process had in hand is free now, and not in half a minute."""
    await rows(
        system, "orders", "UPDATE purchase_order SET leased_until = now() WHERE leased_until > now() RETURNING 1 AS n"
    )


def is_same_process(system: System, pid: int) -> bool:
    return system.is_running("orders") and system.pid("orders") == pid


async def orders_of(system: System) -> list[dict[str, Any]]:
    return await rows(system, "orders", "SELECT order_id, state FROM purchase_order")


async def ends_of(system: System, crashed: dict[str, Any]) -> dict[str, str]:
    """How each order ended; waits until all have."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        states = {row["order_id"]: row["state"] for row in await orders_of(system)}
        ends = {point: states[order_id] for point, order_id in crashed.items()}
        if set(ends.values()) <= {"confirmed", "cancelled"} or time.monotonic() > deadline:
            return ends
        await asyncio.sleep(0.2)
