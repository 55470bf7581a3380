"""web on a real database and a real bus, with small neighbours behind real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import nats
import pytest
from websockets.asyncio.client import connect

from chassis.testing import Harness
from services.web.app import create_app
from services.web.settings import WebSettings
from services.web.tests.neighbours import PROVIDERS, Neighbours, sample_class, sample_event, sample_seat_map
from services.web.tests.reading_pages import PageRead

SUPPORT_KEY = "a-key-that-opens-support"


class Browser:
    """Follows no redirect by itself, keeps cookies, and sends forms as it found them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def open(self, path: str, status: int = 200) -> PageRead:
        response = await self.http.get(path)
        assert response.status_code == status, response.text
        return PageRead(response.text)

    async def send(self, page: PageRead, action: str, **fields: Any) -> httpx.Response:
        return await self.http.post(action, data=page.forms[action] | fields)

    async def place(self, event_id: UUID, *seats: str) -> str:
        """Holds seats and follows the way to the order, as browsers do; its path."""
        page = await self.open(f"/events/{event_id}")
        response = await self.send(page, f"/events/{event_id}/orders", seat=list(seats))
        assert response.status_code == 303, response.text
        await self.http.get(response.headers["location"])
        return response.headers["location"]


@dataclass
class Stage:
    """Everything that a test plays with."""

    harness: Harness
    neighbours: Neighbours
    settings: WebSettings
    base_url: str
    play: UUID
    festival: UUID
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def browser(self) -> Browser:
        """A browser of somebody new."""
        return Browser(await self.stack.enter_async_context(httpx.AsyncClient(base_url=self.base_url, timeout=20)))

    async def say_on_bus(self, subject: str, payload: dict[str, Any]) -> None:
        """Says something on the bus as another service would."""
        client = await nats.connect(self.harness.nats_url)
        await client.publish(subject, json.dumps(payload).encode())
        await client.drain()

    def socket(self, browser: Browser, path: str, **headers: str) -> connect:
        """A socket of a browser, with its cookies."""
        cookies = "; ".join(f"{one.name}={one.value}" for one in browser.http.cookies.jar)
        return connect(
            self.base_url.replace("http", "ws", 1) + path,
            additional_headers={name.replace("_", "-"): value for name, value in headers.items()} | {"Cookie": cookies},
            proxy=None,
        )

    @asynccontextmanager
    async def listening(self, browser: Browser, path: str) -> AsyncIterator["asyncio.Queue[tuple[str, Any]]"]:
        """What an order's stream says, or the socket of an event, as it comes; greetings and heartbeats aside."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

        async def hear() -> None:
            async with self.socket(browser, path) as socket:
                async for said in socket:
                    message = json.loads(said)
                    if message.pop("version", None):
                        await queue.put((message.pop("kind"), message))

        async def listen() -> None:
            async with browser.http.stream("GET", path, timeout=None) as response:  # the test has a time-out
                assert response.status_code == 200
                name = ""
                async for line in response.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    if line.startswith("data: ") and name != "still-here":
                        await queue.put((name, json.loads(line.removeprefix("data: "))))

        task = asyncio.create_task(hear() if path.startswith("/live/events/") else listen())
        try:
            yield queue
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def stage(harness: Harness) -> AsyncIterator[Stage]:
    """A theatre play with 18 seats and a festival, on sale."""
    neighbours = Neighbours()
    seat_map = sample_seat_map(rows=3, seats=6)
    seated = [sample_class("Premium", "seated", 4500), sample_class("Standard", "seated", 2900)]
    play = neighbours.add_event(sample_event("Der zerbrochne Krug", seated, seat_map), seat_map)
    general = [sample_class("Day", "general", 6900), sample_class("Weekend", "general", 11900)]
    festival = neighbours.add_event(sample_event("Lakeside", general, image="festival"))
    async with harness.serving(neighbours.app()) as town:
        addresses: dict[str, Any] = {f"{name}_url": f"{town}/{name}" for name in PROVIDERS}
        settings = harness.settings(
            WebSettings,
            public_url="http://shop.example",
            cookie_secret="s" * 40,
            trace_url="http://traces.example",
            support_key=SUPPORT_KEY,
            max_streams=3,
            **addresses,
        )
        async with harness.serving(create_app(settings)) as base_url:
            made = Stage(harness, neighbours, settings, base_url, play, festival)
            async with made.stack, httpx.AsyncClient(base_url=base_url, timeout=30) as http:
                await harness.eventually(lambda: _is_ready(http))
                yield made


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/readyz")).status_code == httpx.codes.OK
