"""The same services in one process, and one of them left out of it: `make up MONOLITH=1 APART=tickets`."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from local.buyer import Buyer, Purchase, Wish
from local.system import System
from local.temporary import temporary_system
from local.topology import SERVICES
from tests.books import assert_promises_hold
from tests.listening import listening
from tracing.assertions import assert_complete, assert_path, spans_of, wait_for_trace
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

APART = "tickets"
SPAN_OF_THE_LAST_STEP = ("notifications", "smtp send*")


@pytest.fixture(scope="module")
def one_process() -> Iterator[System]:
    """All services but one in one process."""
    with temporary_system(durable=True, together=[name for name in SERVICES if name != APART]) as running:
        yield running
        assert_promises_hold(running)


@pytest.fixture(scope="module")
def one_process_on_bus() -> Iterator[System]:
    """The same, with the bus between it and the one that is apart."""
    with temporary_system(
        durable=True, transport="bus", together=[name for name in SERVICES if name != APART]
    ) as running:
        yield running
        assert_promises_hold(running)


async def bought(system: System) -> Purchase:
    purchase = await Buyer(system.addresses, Wish(places=2)).buy(
        await Buyer(system.addresses, Wish(places=2)).find_events()
    )
    assert purchase.failure is None
    return purchase


async def test_a_purchase_is_one_trace_of_all_services_that_are_two_processes(one_process: System) -> None:
    assert len({one_process.pid(name) for name in SERVICES}) == 2
    purchase = await bought(one_process)
    reader = TraceReader(one_process.addresses["traces"])
    trace = await wait_for_trace(
        reader, purchase.trace_id, has=[SPAN_OF_THE_LAST_STEP], quiet_seconds=1.0, timeout_seconds=30
    )
    assert {span.service for span in trace.spans} == set(SERVICES)
    assert_complete(trace)
    assert_path(trace, "web POST /events/*/orders", "orders POST /orders", "inventory PUT /events/*/holds/*")
    # There and back over the network: whoever is apart asks, and is asked.
    assert_path(trace, "notifications POST /orders/*/tickets.pdf", "tickets POST /orders/*/tickets.pdf")
    processes = {span.service: span.resource["process.pid"] for span in trace.spans}
    assert processes.pop(APART) not in processes.values()
    assert len(set(processes.values())) == 1
    assert spans_of(trace, "inventory", "inventory.hold_places")


async def test_each_service_still_answers_where_it_did(one_process: System) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        answers = await asyncio.gather(*(http.get(f"{one_process.addresses[name]}/readyz") for name in SERVICES))
    assert [each.json()["state"] for each in answers] == ["ready"] * len(SERVICES)


async def test_killed_it_comes_back_and_sells_on(one_process: System) -> None:
    before = one_process.pid("orders")
    one_process.kill("orders")
    await asyncio.to_thread(one_process.wait_ready)
    assert one_process.pid("web") == one_process.pid("orders") != before
    await bought(one_process)


async def test_over_the_bus_it_has_the_port_of_web_alone_and_whoever_is_apart_has_none(
    one_process_on_bus: System,
) -> None:
    system = one_process_on_bus
    assert len(listening(system.pid("web"))) == 1
    assert listening(system.pid(APART)) == []
    purchase = await bought(system)
    reader = TraceReader(system.addresses["traces"])
    trace = await wait_for_trace(
        reader, purchase.trace_id, has=[SPAN_OF_THE_LAST_STEP], quiet_seconds=1.0, timeout_seconds=30
    )
    assert_complete(trace)
    calls = [span for span in trace.spans if span.kind == "client" and span.attributes.get("peer.service") in SERVICES]
    over_bus = {each.span_id for each in calls if each.attributes.get("network.protocol.name") == "nats"}
    there_and_back = {each.span_id for each in calls if APART in (each.service, each.attributes["peer.service"])}
    assert over_bus == there_and_back != set()
    # Who is not ours asks web: it hands on within the process, and to whoever is apart.
    async with httpx.AsyncClient(base_url=system.addresses["web"], timeout=30) as http:
        webhook = await http.post("/webhooks/bank", content=b"{}", headers={"Bank-Signature": "t=1,v1=0"})
        keys = await http.get("/.well-known/ticket-keys.json")
    assert webhook.json()["code"] == "webhook_forged"
    assert keys.json()["keys"]
