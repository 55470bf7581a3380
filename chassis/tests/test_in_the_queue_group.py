"""Who is asked over the bus: each process that is ready, and none that is not. A real NATS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import nats
import nats.errors
import pytest
from nats.aio.client import Client

from chassis.ask_bus import subject_of
from chassis.broker import Broker
from chassis.envelope import read_answer, written_request
from chassis.on_bus import BusServer
from tracing.metrics import Metrics

SECONDS = 20.0


class Process:
    """One process of `inventory`: it says its name, and is ready as long as it is told so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = True

    async def is_ready(self) -> bool:
        return self.ready

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"name", self.name.encode())]})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
async def start(nats_url: str) -> AsyncIterator[Callable[[Process], Awaitable[BusServer]]]:
    async with AsyncExitStack() as stack:

        async def started(process: Process) -> BusServer:
            broker = Broker(nats_url, "inventory")
            running = asyncio.create_task(broker.run())

            async def end() -> None:
                await broker.close()
                running.cancel()
                await asyncio.wait({running})

            stack.push_async_callback(end)
            await broker.client()
            server = BusServer(broker, "inventory", process, Metrics(), is_ready=process.is_ready, look_seconds=0.01)
            await server.start()
            return server

        yield started


async def who_answers(client: Client) -> str:
    """Which process was asked; "nobody" if none is in the group."""
    asked = written_request("GET", "/things", {}, 0)
    try:
        answer = await client.request(subject_of("inventory"), asked, timeout=SECONDS)
    except nats.errors.NoRespondersError:
        return "nobody"
    return dict(read_answer(answer.data).headers)["name"]


async def until(client: Client, *names: str) -> None:
    """Returns when 20 requests in a row reached these processes, and each of them."""
    async with asyncio.timeout(SECONDS):
        while {await who_answers(client) for _ in range(20)} != set(names):
            pass


async def test_a_process_that_is_not_ready_leaves_its_share_to_others(
    start: Callable[[Process], Awaitable[BusServer]], nats_url: str
) -> None:
    first, second = Process("first"), Process("second")
    servers = [await start(first), await start(second)]
    client = await nats.connect(nats_url)
    await until(client, "first", "second")
    first.ready = False
    await until(client, "second")
    second.ready = False
    await until(client, "nobody")
    first.ready = True
    await until(client, "first")
    for server in servers:
        await server.stop(1.0)
    await client.close()


async def test_a_stopped_process_is_asked_no_more_whatever_it_was(
    start: Callable[[Process], Awaitable[BusServer]], nats_url: str
) -> None:
    away, well = Process("away"), Process("well")
    servers = [await start(away), await start(well)]
    client = await nats.connect(nats_url)
    away.ready = False
    await until(client, "well")
    for server in servers:
        await server.stop(1.0)
    await until(client, "nobody")
    await client.close()
