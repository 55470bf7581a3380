"""Services on several hosts: one trace across them, and what a slow link and a cut one look like in it."""

from collections.abc import Iterator

import pytest

from local.buyer import Buyer, Purchase, Wish
from local.system import System
from local.topology import SERVICES
from tests.system.test_purchase import SPAN_OF_THE_LAST_STEP
from tracing.assertions import assert_complete, wait_for_trace
from tracing.model import Span, Trace
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

DELAY_MS = 100


@pytest.fixture
def linked(system_on_hosts: System) -> Iterator[System]:
    """For tests that change the links between edge and money: they are well afterwards."""
    if system_on_hosts.hosts.no_network:
        pytest.skip(system_on_hosts.hosts.no_network)
    yield system_on_hosts
    system_on_hosts.link("edge", "money")


async def buy(system: System) -> Purchase:
    wish = Wish(places=1, prefer_general=True)
    return await Buyer(system.addresses, wish).buy(await Buyer(system.addresses, wish).find_events())


async def trace_of(system: System, purchase: Purchase, *last: tuple[str, str]) -> Trace:
    reader = TraceReader(system.addresses["traces"])
    return await wait_for_trace(reader, purchase.trace_id, has=last, quiet_seconds=1.0, timeout_seconds=30)


def calls(trace: Trace, caller: str, provider: str) -> list[tuple[Span, Span | None]]:
    """Each call of one service to another: the caller's span, and the provider's if there is one."""
    return [
        (span, next((child for child in trace.children_of(span) if child.service == provider), None))
        for span in trace.spans
        if span.service == caller and span.kind == "client" and span.attributes.get("peer.service") == provider
    ]


async def test_a_purchase_crosses_hosts_in_one_trace(system_on_hosts: System) -> None:
    system = system_on_hosts
    purchase = await buy(system)
    assert purchase.failure is None
    trace = await trace_of(system, purchase, SPAN_OF_THE_LAST_STEP)
    assert_complete(trace)
    lived = {(span.service, span.resource.get("host.name")) for span in trace.spans}
    assert lived == {(service, system.hosts.housing.host_of(service)) for service in SERVICES}
    assert len({host for _, host in lived}) == 3


async def test_a_cut_link_leaves_calls_that_nobody_served(linked: System) -> None:
    linked.link("edge", "money", partition=True)
    purchase = await buy(linked)
    assert purchase.failure is not None
    assert purchase.failure.step == "hold places"
    trace = await trace_of(linked, purchase)
    unserved = calls(trace, "web", "orders")
    assert unserved
    assert [served for _, served in unserved if served is not None] == []
    assert all(asked.is_error for asked, _ in unserved)


async def test_a_slow_link_lies_between_what_was_asked_and_what_was_served(linked: System) -> None:
    """The clocks are one, so each way shows by itself; calls between other hosts do not have it."""
    linked.link("edge", "money", delay_ms=DELAY_MS)
    purchase = await buy(linked)
    assert purchase.failure is None
    trace = await trace_of(linked, purchase, SPAN_OF_THE_LAST_STEP)
    assert_complete(trace)
    slow = calls(trace, "web", "orders")
    assert len(slow) >= 3
    for asked, served in slow:
        assert served is not None
        assert served.start_ns - asked.start_ns >= DELAY_MS * 1_000_000
        assert asked.end_ns - served.end_ns >= DELAY_MS * 1_000_000
    others = [served.start_ns - asked.start_ns for asked, served in calls(trace, "orders", "inventory") if served]
    assert min(others) < DELAY_MS * 1_000_000
