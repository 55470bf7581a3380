"""A socket whose browser takes nothing: it is dropped, and its connection ends for certain."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chassis import socket_protocol
from chassis.testing import Harness
from services.web.frame import sockets as carried
from services.web.frame.cookies import Cookies
from services.web.frame.sockets import Sockets
from services.web.frame.streams import QUEUE_SIZE, Listener, Streams
from services.web.settings import WebSettings
from services.web.tests.neighbours import PROVIDERS
from tracing.instruments import Instrument
from tracing.metrics import Metrics

# More than any kernel keeps for a connection.
LONG = b"~" * 500_000


class Counting(Metrics):
    """Notes why sockets ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Any] = []

    def count(self, _instrument: Instrument, attributes: Any, _number: float = 1) -> None:
        self.ends.append(attributes["onsale.end"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried, "SEND_SECONDS", 0.3)
    monkeypatch.setattr(socket_protocol, "LAST_BYTES_SECONDS", 0.3)


def application(harness: Harness, metrics: Metrics, streams: Streams, messages: int) -> FastAPI:
    """Says much at once to everybody who listens."""
    addresses: dict[str, Any] = {f"{name}_url": "http://127.0.0.1:9" for name in PROVIDERS}
    settings = harness.settings(WebSettings, public_url="http://shop.example", cookie_secret="s" * 40, **addresses)
    sockets = Sockets(streams, Cookies(settings), metrics, settings.public_url)
    app = FastAPI()

    @asynccontextmanager
    async def joined(listener: Listener) -> AsyncIterator[None]:
        for _ in range(messages):
            listener.put(LONG)
        yield

    @app.websocket("/live")
    async def live(opened: WebSocket) -> None:
        await sockets.serve(opened, joined)

    return app


def opened(base_url: str) -> connect:
    """A socket that takes whatever comes."""
    return connect(base_url.replace("http", "ws", 1) + "/live", proxy=None, max_size=None)


async def read_on(reading: ClientConnection) -> None:
    while True:
        await reading.recv()


def open_slowly(base_url: str) -> socket.socket:
    """A connection that asks for a socket, and never reads."""
    url = httpx.URL(base_url)
    made = socket.create_connection((url.host, url.port or 80))
    made.sendall(
        b"GET /live HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    made.setblocking(False)
    return made


async def taken_until_the_end(made: socket.socket) -> int:
    """Begins to read at last, until the other side's end: how much of the messages there was."""
    loop, taken = asyncio.get_running_loop(), 0
    async with asyncio.timeout(20):
        while part := await loop.sock_recv(made, 1 << 20):
            taken += part.count(b"~")
    return taken


async def test_it_is_dropped_and_its_connection_ends_although_nothing_is_taken(harness: Harness) -> None:
    metrics, streams = Counting(), Streams(9, 9, 9)
    async with harness.serving(application(harness, metrics, streams, QUEUE_SIZE - 1)) as base_url:
        with open_slowly(base_url) as made:
            await harness.eventually(lambda: metrics.ends)
            assert metrics.ends == ["slow"]
            await harness.eventually(lambda: len(streams) == 0)
            await asyncio.sleep(1)
            # What the kernel had taken still arrives; the message that was under way has no end.
            assert await taken_until_the_end(made) % len(LONG) != 0


async def test_it_is_told_why_when_too_much_waits_for_it(harness: Harness) -> None:
    metrics, streams = Counting(), Streams(9, 9, 9)
    async with harness.serving(application(harness, metrics, streams, QUEUE_SIZE + 1)) as base_url:
        async with opened(base_url) as reading:
            with pytest.raises(ConnectionClosed, match=r"1013 .* does not keep up"):
                await read_on(reading)
        assert metrics.ends == ["slow"]


async def test_who_takes_what_is_sent_hears_all_of_it(harness: Harness) -> None:
    metrics, streams = Counting(), Streams(9, 9, 9)
    async with harness.serving(application(harness, metrics, streams, 20)) as base_url:
        async with opened(base_url) as reading:
            heard = [await reading.recv() for _ in range(21)]
        assert [len(one) for one in heard[1:]] == [len(LONG)] * 20
        await harness.eventually(lambda: metrics.ends == ["gone"])
