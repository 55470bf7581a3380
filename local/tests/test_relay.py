"""The relay that makes something on this machine far away: what is said arrives whole, in order, and late."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from local.bench.relay import Relay
from local.processes import LOOPBACK

DELAY_SECONDS = 0.05
PATIENCE_SECONDS = 20.0
Both = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says what it hears, and ends when it has heard the end."""
    while heard := await reader.read(65_536):
        writer.write(heard)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def far_away(delay_seconds: float = DELAY_SECONDS) -> AsyncIterator[tuple[Relay, Both]]:
    """A relay to somebody who repeats all that is said, and a connection through it."""
    listening = await asyncio.start_server(_echo, LOOPBACK, 0)
    async with listening, Relay(listening.sockets[0].getsockname()[1], delay_seconds) as relay:
        reader, writer = await asyncio.open_connection(LOOPBACK, relay.port)
        try:
            yield relay, (reader, writer)
        finally:
            writer.close()


async def test_an_answer_takes_the_delay_twice() -> None:
    async with far_away() as (_, (reader, writer)):
        began = time.monotonic()
        writer.write(b"well?")
        assert await asyncio.wait_for(reader.readexactly(5), PATIENCE_SECONDS) == b"well?"
        assert time.monotonic() - began >= 2 * DELAY_SECONDS


async def test_a_new_delay_counts_from_then_on() -> None:
    async with far_away(delay_seconds=0.0) as (relay, (reader, writer)):
        writer.write(b"well?")
        await asyncio.wait_for(reader.readexactly(5), PATIENCE_SECONDS)
        relay.delay_seconds = DELAY_SECONDS
        began = time.monotonic()
        writer.write(b"still?")
        await asyncio.wait_for(reader.readexactly(6), PATIENCE_SECONDS)
        assert time.monotonic() - began >= 2 * DELAY_SECONDS


async def test_much_arrives_whole_and_in_order_to_its_end() -> None:
    much = os.urandom(3_000_000)
    async with far_away() as (_, (reader, writer)):
        writer.write(much)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == much


async def test_where_nobody_listens_a_connection_ends() -> None:
    listening = await asyncio.start_server(_echo, LOOPBACK, 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    async with Relay(port) as relay:
        reader, writer = await asyncio.open_connection(LOOPBACK, relay.port)
        assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
        writer.close()


async def test_who_leaves_the_relay_ends_what_it_carries() -> None:
    async with far_away() as (relay, (reader, _)):
        await relay.__aexit__(None, None, None)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_SECONDS) == b""
