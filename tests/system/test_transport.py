"""A shop whose services ask each other over the bus: nothing but web has a port, a purchase is one trace, and what is lost ends in time."""

import asyncio
import hashlib
import hmac
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from chassis.broker import Broker
from chassis.calls import Carry, NotSent, Sending
from chassis.over_bus import CallsOverBus
from local.buyer import Buyer, Purchase, Wish
from local.provision import make_secrets
from local.running import Running
from local.stuck import late_work
from local.system import System
from local.temporary import temporary_system
from local.topology import SERVICES, nats_url
from tests.books import assert_promises_hold
from tests.listening import listening
from tracing.assertions import assert_complete, assert_path, wait_for_trace
from tracing.reader import TraceReader
from tracing.registry import unlike_registry

pytestmark = pytest.mark.system

SOON_SECONDS = 30.0


@pytest.fixture(scope="module")
def on_bus() -> Iterator[System]:
    with temporary_system(transport="bus") as running:
        yield running
        assert_promises_hold(running)


async def buy(system: System) -> Purchase:
    buyer = Buyer(system.addresses, Wish(places=2))
    return await Buyer(system.addresses, Wish(places=2)).buy(await buyer.find_events())


@asynccontextmanager
async def asking_as(system: System, service: str, provider: str) -> AsyncIterator[Carry]:
    """What a service has in its hands: its login, and no address of anybody."""
    broker = Broker(nats_url(service, system.ports, make_secrets(system.layout)), service)
    carry = CallsOverBus(broker, service).to(provider)
    task = asyncio.create_task(broker.run())
    await broker.client()
    try:
        yield carry
    finally:
        await broker.close()
        task.cancel()


def a_request(path: str, *, body: bytes = b"", seconds: float = 5.0, method: str = "GET") -> Sending:
    return Sending(method, "bus://provider", path, "", {"content-type": "application/json"}, body, seconds, 1.0)


async def test_a_purchase_is_one_trace_of_all_services_as_over_http(on_bus: System) -> None:
    purchase = await buy(on_bus)
    assert purchase.failure is None
    assert len(purchase.ticket_codes) == 2
    with TraceReader(on_bus.addresses["traces"]) as reader:
        trace = await wait_for_trace(
            reader,
            purchase.trace_id,
            has=[("notifications", "smtp send*")],
            quiet_seconds=1.0,
            timeout_seconds=SOON_SECONDS,
        )
    assert {span.service for span in trace.spans} == set(SERVICES)
    assert_complete(trace)
    assert unlike_registry([trace]) == []
    assert_path(trace, "web POST /events/*/orders", "orders POST /orders", "inventory PUT /events/*/holds/*")
    assert_path(
        trace, "orders orders.capture_payment", "orders POST /payments/*/capture", "payments POST /payments/*/capture"
    )
    asked = [span for span in trace.spans if span.kind == "client" and span.attributes.get("peer.service") in SERVICES]
    assert asked
    for span in asked:
        assert span.attributes["server.address"] == span.attributes["peer.service"]
        assert (span.attributes["network.protocol.name"], span.attributes.get("server.port")) == ("nats", None)
    served = [span for span in trace.spans if span.kind == "server" and span.service != "web"]
    assert all(span.attributes["network.protocol.name"] == "nats" for span in served)


def test_nothing_listens_but_web_and_what_stands_for_the_world(on_bus: System) -> None:
    listeners = {name for name in (*SERVICES, "bank", "mailbox", "traces") if listening(on_bus.pid(name))}
    assert listeners == {"web", "bank", "mailbox", "traces"}


def test_whoever_looks_after_them_asks_over_the_bus_as_well(on_bus: System) -> None:
    late, silent = late_work(Running.find(on_bus.layout.folder).services, 60)
    assert (late, silent) == ([], [])


async def test_the_banks_webhook_reaches_payments_through_web_byte_for_byte(on_bus: System) -> None:
    """The signature is over the very bytes."""
    body = b'{ "webhook_id": "wh_%b",  "payment_id": "pay_unknown" }' % uuid4().hex.encode()
    stamp = str(int(time.time()))
    secret = make_secrets(on_bus.layout).bank_webhook_secret
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    async with httpx.AsyncClient(base_url=on_bus.addresses["web"], timeout=30) as bank:
        signed = await bank.post("/webhooks/bank", content=body, headers={"Bank-Signature": f"t={stamp},v1={digest}"})
        forged = await bank.post(
            "/webhooks/bank", content=body + b" ", headers={"Bank-Signature": f"t={stamp},v1={digest}"}
        )
        gate = await bank.get("/.well-known/ticket-keys.json")
    assert forged.status_code in {400, 401, 403}
    assert json.loads(forged.content)["code"] == "webhook_forged"
    assert signed.status_code != forged.status_code
    assert gate.json()["keys"]


async def test_a_large_body_is_refused_as_over_http_and_not_sent(on_bus: System) -> None:
    async with asking_as(on_bus, "web", "orders") as carry:
        answer = await carry(a_request("/orders", method="POST", body=bytes(3 << 20)))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_more_than_a_process_serves_is_refused_at_once_and_says_when_to_come_again(on_bus: System) -> None:
    async with asking_as(on_bus, "web", "catalog") as carry:
        answers = await asyncio.gather(*(carry(a_request("/readyz", seconds=SOON_SECONDS)) for _ in range(1000)))
        again = await carry(a_request("/readyz"))
    refused = [each for each in answers if each.status_code == 503]
    assert refused
    assert {each.headers["Retry-After"] for each in refused} == {"1"}
    assert {each.status_code for each in answers} == {200, 503}
    assert again.status_code == 200


async def test_a_service_that_is_killed_within_a_call_is_a_time_out_and_then_nobody_until_it_is_back(
    on_bus: System,
) -> None:
    async with asking_as(on_bus, "web", "inventory") as carry:
        os.kill(on_bus.pid("inventory"), signal.SIGSTOP)  # from now on it is given requests, and answers none
        call = asyncio.ensure_future(carry(a_request("/livez", seconds=2.0)))
        with pytest.raises(TimeoutError):
            await carry(a_request("/livez", seconds=0.5))
        on_bus.kill("inventory", restart=False)
        with pytest.raises(TimeoutError):
            await call
        with pytest.raises(NotSent):
            await carry(a_request("/livez", seconds=SOON_SECONDS))
        await asyncio.to_thread(on_bus.restart, "inventory")
        assert (await carry(a_request("/livez"))).status_code == 200
    assert (await buy(on_bus)).failure is None
