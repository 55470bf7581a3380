"""Sockets that programs open: they say too much, leave too early, or name an address that is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from chassis.testing import Harness
from services.web.browsing.domain import EventUnknown
from services.web.frame.cookies import Cookies
from services.web.frame.sockets import Sockets
from services.web.frame.streams import Listener, Streams
from services.web.settings import WebSettings
from services.web.tests.integration.test_slow_sockets import Counting, open_slowly
from services.web.tests.neighbours import PROVIDERS
from tracing.asgi import TracingMiddleware
from tracing.testing import Kept

# More than a page says in all the time for which its socket is open.
MUCH = 200_000


class Door:
    """A shop with one socket. `opens`: whoever comes waits for it; `is_wall`: there is nothing behind."""

    def __init__(self, harness: Harness, *, is_wall: bool = False) -> None:
        addresses: dict[str, Any] = {f"{name}_url": "http://127.0.0.1:9" for name in PROVIDERS}
        settings = harness.settings(WebSettings, public_url="http://shop.example", cookie_secret="s" * 40, **addresses)
        self.metrics, self.streams, self.opens = Counting(), Streams(9, 9, 9), asyncio.Event()
        self._is_wall = is_wall
        sockets = Sockets(self.streams, Cookies(settings), self.metrics, settings.public_url)
        self.app = FastAPI()
        self.app.add_middleware(TracingMiddleware)

        @self.app.websocket("/live")
        async def live(opened: WebSocket) -> None:
            await sockets.serve(opened, self._joined)

    @asynccontextmanager
    async def _joined(self, _listener: Listener) -> AsyncIterator[None]:
        await self.opens.wait()
        if self._is_wall:
            raise EventUnknown
        yield


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """One frame of a browser, under a mask of zeros."""
    return bytes([opcode, 0x80 | len(payload)]) + bytes(4) + payload


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"", frame(0x89, b"~" * 125), id="pings whose answers it does not take"),
        pytest.param(b"", frame(0x81), id="messages"),
        pytest.param(frame(0x01), frame(0x00), id="a message that does not end"),
    ],
)
async def test_who_says_more_than_a_page_does_is_dropped(harness: Harness, first: bytes, then: bytes) -> None:
    door = Door(harness)
    door.opens.set()
    async with harness.serving(door.app) as base_url:
        with open_slowly(base_url) as made:
            await harness.eventually(lambda: len(door.streams) == 1)
            with suppress(ConnectionError):
                await asyncio.get_running_loop().sock_sendall(made, first + then * (MUCH // len(then)))
            await harness.eventually(lambda: door.metrics.ends == ["gone"])
            assert len(door.streams) == 0


@pytest.mark.parametrize("is_wall", [False, True])
async def test_who_leaves_before_there_is_an_answer_is_no_failure(
    harness: Harness, kept_spans: Kept, is_wall: bool
) -> None:
    door = Door(harness, is_wall=is_wall)
    async with harness.serving(door.app) as base_url:
        with open_slowly(base_url):
            await harness.eventually(lambda: len(door.streams) == 1)
        await asyncio.sleep(0.2)
        door.opens.set()
        await harness.eventually(lambda: len(door.streams) == 0)
        await harness.eventually(lambda: kept_spans.named("GET /live"))
    span = kept_spans.the("GET /live")
    assert (span.is_error, span.attributes.get("error.type")) == (False, None)


async def test_a_page_at_an_address_that_is_none_is_refused(harness: Harness) -> None:
    door = Door(harness)
    async with harness.serving(door.app) as base_url:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(base_url.replace("http", "ws", 1) + "/live", proxy=None, origin=Origin("http://[")):
                pass
        assert refused.value.response.status_code == 403
