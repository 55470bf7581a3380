"""The same contracts over the bus: `TRANSPORT=bus make contracts`. Pact speaks HTTP, so at its end stands a bridge.

A consumer's real client asks over a real NATS, with the rights of that consumer, and a bridge asks Pact's mock server what came. A
provider's real application serves on NATS, and a bridge hands it what Pact's verifier asks.
"""

import asyncio
import atexit
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

from chassis.broker import Broker
from chassis.calls import Carry, Network
from chassis.on_bus import BusServer
from chassis.over_bus import CallsOverBus
from chassis.passing_on import PassingOn
from chassis.testing import Harness
from contracts.pactfile import Edge
from local.nats import NatsServer
from local.topology import SERVICES
from tracing.metrics import Metrics

TRANSPORT, BUS = "TRANSPORT", "bus"
WORDS = {name: f"word-of-{name}" for name in SERVICES}
# As long as the verifier waits: a provider's application works off what a state needs on the same two cores.
BRIDGE_SECONDS = 20.0


def is_wanted() -> bool:
    """Whether contracts are held over the bus in this run."""
    return os.environ.get(TRANSPORT) == BUS


async def way_to(stack: AsyncExitStack, edge: Edge, url: str) -> Carry | None:
    """What carries a consumer's requests in this run to a provider at an address, Pact's mock server; None: the network."""
    if not is_wanted():
        return None
    server, network = _server(), Network(is_encrypted=False)
    stack.push_async_callback(network.close)
    bridge = PassingOn(edge.provider, network.carry, url, BRIDGE_SECONDS)
    await _serve(stack, server.url(edge.provider), edge.provider, bridge)
    return (await _calls(stack, server.url(edge.consumer), edge.consumer)).to(edge.provider)


@asynccontextmanager
async def served_over_bus(harness: Harness, app: Any, provider: str) -> AsyncIterator[str]:
    """An address that hands requests on over NATS to an application."""
    async with AsyncExitStack() as stack:
        # It starts and stops as its server lets it; nobody uses this address.
        await stack.enter_async_context(harness.serving(app))
        await _serve(stack, harness.nats_url, provider, app)
        carry = (await _calls(stack, harness.nats_url, "verifier")).to(provider)
        bridge = PassingOn(provider, carry, seconds=BRIDGE_SECONDS)
        yield await stack.enter_async_context(harness.serving(bridge))


async def _serve(stack: AsyncExitStack, nats_url: str, provider: str, app: Any) -> None:
    broker = Broker(nats_url, provider)
    await _run(stack, broker)
    await BusServer(broker, provider, app, Metrics()).start()
    client = await broker.client()
    # Twice: nats-py's first flush may overtake what is still in its buffer.
    await client.flush()
    await client.flush()


async def _calls(stack: AsyncExitStack, nats_url: str, consumer: str) -> CallsOverBus:
    broker = Broker(nats_url, consumer)
    calls = CallsOverBus(broker, consumer)
    await _run(stack, broker)
    return calls


async def _run(stack: AsyncExitStack, broker: Broker) -> None:
    task = asyncio.create_task(broker.run())

    async def end() -> None:
        task.cancel()
        await asyncio.wait({task})
        await broker.close()

    stack.push_async_callback(end)
    await broker.client()


@cache
def _server() -> NatsServer:
    """One for all tests of this process, with the logins and the rights of a system."""
    server = NatsServer(users=WORDS)
    server.start()
    atexit.register(server.stop)
    return server
