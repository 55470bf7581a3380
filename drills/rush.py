"""Many at the same moment: a crowd that wants one event, somebody who wants another one, and somebody who only watches."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from drills.journeys import seat_pages
from drills.organiser import load_sale
from drills.shopper import Fill, Shopper, places
from local.browser import Form, Page

if TYPE_CHECKING:
    from drills.stage import Stage

CROWD = 90
# The crowd is in the shop by then.
LATER_SECONDS = 0.25
BUSY_SECONDS = 5.0
AFTER_SECONDS = 2.0
TAKERS = 3


@dataclass(frozen=True)
class Rushed:
    """How long the one who wanted something else waited, in seconds, and how many of the crowd had their places before them."""

    other: float
    before: int


async def want_something_else_in_a_rush(stage: Stage) -> Rushed:
    """A crowd holds places of one event at the same moment; just behind it somebody holds one of another event."""
    done: list[Shopper] = []
    hot, calm = await load_sale(stage, CROWD), await load_sale(stage)

    async def one(shopper: Shopper, page: Page) -> float:
        began = time.monotonic()
        await shopper.hold(page, places(1))
        done.append(shopper)
        return time.monotonic() - began

    async def other(shopper: Shopper, page: Page) -> float:
        await asyncio.sleep(LATER_SECONDS)
        return await one(shopper, page)

    crowd = [Shopper(stage.addresses) for _ in range(CROWD)]
    async with Shopper(stage.addresses) as somebody:
        pages = [await each.open(hot) for each in crowd]
        elsewhere = await somebody.open(calm)
        *_, alone = await asyncio.gather(
            *(one(each, page) for each, page in zip(crowd, pages, strict=True)), other(somebody, elsewhere)
        )
    return Rushed(alone, done.index(somebody))


@dataclass
class Watched:
    """What a page heard over its socket, and when seats were taken or given back: seconds from the same beginning."""

    heard: list[float] = field(default_factory=list)
    changed: list[float] = field(default_factory=list)

    @property
    def longest_silence(self) -> tuple[float, int]:
        """The longest time in which nothing was heard, and how many changes there were in it."""
        moments = [0.0, *(each for each in self.heard if each < BUSY_SECONDS), BUSY_SECONDS]
        spans = list(itertools.pairwise(moments))
        begin, end = max(spans, key=lambda each: each[1] - each[0])
        return end - begin, sum(begin < each < end for each in self.changed)


async def watch_a_busy_map(stage: Stage) -> Watched:
    """Somebody watches the seats of an event over a socket while others take seats and give them back all the time."""
    event = (await stage.once(seat_pages))[0]
    shop = urlsplit(stage.addresses["web"])
    address = f"ws://{shop.netloc}/live{urlsplit(event.url).path}"
    watched = Watched()
    async with connect(address, proxy=None) as socket:
        await _until_all_is_known(socket)
        began = time.monotonic()
        with _hearing(socket, watched, began):
            await asyncio.gather(
                *(_take_and_give_back(stage, event, number, watched, began) for number in range(TAKERS))
            )
            # What comes when it is quiet again.
            await asyncio.sleep(AFTER_SECONDS)
    return watched


async def _until_all_is_known(socket: ClientConnection) -> None:
    while json.loads(await socket.recv())["kind"] != "snapshot":
        pass


@contextmanager
def _hearing(socket: ClientConnection, watched: Watched, began: float) -> Iterator[None]:
    async def hear() -> None:
        async for said in socket:
            if json.loads(said)["kind"] in {"change", "snapshot"}:
                watched.heard.append(time.monotonic() - began)

    hearing = asyncio.create_task(hear())
    try:
        yield
    finally:
        hearing.cancel()


async def _take_and_give_back(stage: Stage, event: Page, number: int, watched: Watched, began: float) -> None:
    """One seat, again and again, and another one than the others take."""
    async with Shopper(stage.addresses) as shopper:
        while time.monotonic() - began < BUSY_SECONDS:
            page = await shopper.open(event.url)
            order = await shopper.hold(page, _seat(number))
            watched.changed.append(time.monotonic() - began)
            await shopper.cancel(order)
            watched.changed.append(time.monotonic() - began)


def _seat(number: int) -> Fill:
    def choose(form: Form) -> list[tuple[str, str]]:
        free = [each.value for each in form.fields if each.name == "seat" and not each.disabled]
        return [("seat", free[-1 - 5 * number])]

    return choose
