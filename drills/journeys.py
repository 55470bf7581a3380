"""What people do in the shop, and what they saw. None of it knows which drill is on."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.browser import Browser, Page
from local.buyer import Buyer, Purchase, Wish

if TYPE_CHECKING:
    from drills.stage import Stage

# Longer than the shop shows free places without asking again.
PLACES_SECONDS = 5.5


@dataclass(frozen=True)
class Visit:
    """A page as somebody met it, and how long it took in seconds."""

    page: Page
    seconds: float


async def buy_seats(stage: Stage) -> Purchase:
    """A guest buys two seats and waits for the e-mail."""
    return await _buy(stage, Wish(places=2))


async def buy_places(stage: Stage) -> Purchase:
    """A guest buys two places without seats."""
    return await _buy(stage, Wish(places=2, prefer_general=True))


async def look_at_seats(stage: Stage) -> Visit:
    """Somebody looks at all events with seats, one after the other: the visit that took longest."""
    # What the shop remembers of the seats is older than it may be.
    await asyncio.sleep(PLACES_SECONDS)
    visits = [await visit(url) for url in await _event_urls(stage)]
    return max((one for one in visits if _has_seats(one.page)), key=lambda one: one.seconds)


async def visit(url: str) -> Visit:
    """Opens a page as a stranger."""
    async with Browser() as browser:
        started = time.monotonic()
        page = await browser.open(url)
        return Visit(page, time.monotonic() - started)


async def _event_urls(stage: Stage) -> list[str]:
    shop = stage.addresses["web"]
    page = (await visit(shop)).page
    return list(dict.fromkeys(url for url, _ in page.links if re.fullmatch(rf"{re.escape(shop)}/events/[^/?]+", url)))


def _has_seats(page: Page) -> bool:
    return any(each.name == "seat" for form in page.forms for each in form.fields)


async def _buy(stage: Stage, wish: Wish) -> Purchase:
    urls = await Buyer(stage.addresses, wish).find_events()
    return await Buyer(stage.addresses, wish).buy(urls)
