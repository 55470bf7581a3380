"""What the shop keeps: how old it gets if nobody says that it changed, and that being told drops it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.web.browsing import shop as kept
from services.web.browsing.shop import Shop
from services.web.frame.assets import own_assets
from services.web.frame.rendering import make_templates

EVENT = uuid4()


@dataclass
class Provider:
    """Catalog, inventory and waitingroom in one: each answer is another object, and each question is counted."""

    asked: dict[str, int] = field(default_factory=dict)

    def _count(self, what: str) -> Any:
        self.asked[what] = self.asked.get(what, 0) + 1
        return f"{what} {self.asked[what]}"

    async def events(self, _query: str | None, _after: str | None, _size: int) -> Any:
        return self._count("lists")

    async def event(self, _event_id: UUID) -> Any:
        return self._count("events")

    async def availability(self, _event_id: UUID) -> Any:
        return self._count("free")

    async def taken_seats(self, _event_id: UUID) -> Any:
        return self._count("taken")

    async def sale(self, _event_id: UUID) -> Any:
        return self._count("sales")


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def shop(clock: Clock, provider: Provider) -> Shop:
    anybody = cast("Any", provider)
    return Shop(anybody, anybody, anybody, make_templates(own_assets()), clock)


def reads(shop: Shop) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "lists": lambda: shop.events("", ""),
        "events": lambda: shop.event(EVENT),
        "sales": lambda: shop.sale(EVENT),
        "free": lambda: shop.free_places(EVENT),
        "taken": lambda: shop.taken_seats(EVENT),
    }


MOST_SECONDS = {
    "lists": kept.LIST_SECONDS,
    "events": kept.EVENT_SECONDS,
    "sales": kept.SALE_SECONDS,
    "free": kept.PLACES_SECONDS,
    "taken": kept.PLACES_SECONDS,
}


@pytest.mark.parametrize("what", MOST_SECONDS)
async def test_a_process_that_hears_nothing_gives_nothing_that_is_older_than_its_time(
    shop: Shop, provider: Provider, clock: Clock, what: str
) -> None:
    read = reads(shop)[what]
    await read()
    clock.now += MOST_SECONDS[what] - 0.01
    await read()
    assert provider.asked == {what: 1}
    clock.now += 0.01
    await read()
    assert provider.asked == {what: 2}
    assert MOST_SECONDS[what] <= 60


@pytest.mark.parametrize("what", MOST_SECONDS)
async def test_a_crowd_that_finds_nothing_kept_asks_once(shop: Shop, provider: Provider, what: str) -> None:
    await asyncio.gather(*(reads(shop)[what]() for _ in range(200)))
    assert provider.asked == {what: 1}


async def test_who_is_connected_anew_asks_everything_again(shop: Shop, provider: Provider, clock: Clock) -> None:
    for read in reads(shop).values():
        await read()
    clock.now += kept.LEAST_PLACES_SECONDS
    shop.doubt_all()
    for read in reads(shop).values():
        await read()
    assert provider.asked == dict.fromkeys(MOST_SECONDS, 2)
