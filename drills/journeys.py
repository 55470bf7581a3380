"""What people do in the shop, and what they saw. None of it knows which drill is on."""

from __future__ import annotations

import asyncio
import random
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
RELOADS = 12
SEAT_PAGES = 2
HOLD_TRIES = 4
CANCEL = r"/orders/[^/]+/cancel$"


@dataclass(frozen=True)
class Visit:
    """A page as somebody met it, and how long it took in seconds."""

    page: Page
    seconds: float


async def buy_places(stage: Stage) -> Purchase:
    """A guest buys two places without seats."""
    return await _buy(stage, Wish(places=2, prefer_general=True))


async def look_at_seats(stage: Stage) -> list[Visit]:
    """Somebody opens the list of events, and then each of them that has seats; the list comes first."""
    urls = [one.url for one in (await stage.once(seat_pages))]
    # Then what the shop remembers of the seats is older than it may be.
    await asyncio.sleep(PLACES_SECONDS)
    return [await visit(url) for url in (stage.addresses["web"], *urls)]


async def seat_pages(stage: Stage) -> list[Page]:
    """The pages of events with seats."""
    pages = [(await visit(url)).page for url in await _event_urls(stage)]
    return [page for page in pages if page.datum("plan") is not None][:SEAT_PAGES]


async def reload_an_order(stage: Stage) -> list[Visit]:
    """A guest holds a place, reloads the page of the order again and again, and lets the place go."""
    async with Browser() as browser:
        event = await browser.open((await Buyer(stage.addresses, Wish(places=1)).find_events())[0])
        order = await held(browser, event)
        visits = [await timed(browser, order.url) for _ in range(RELOADS)]
        latest = next((one.page for one in reversed(visits) if one.page.form_to(CANCEL)), order)
        if (form := latest.form_to(CANCEL)) is not None:
            await browser.submit(form, [])
    return visits


async def held(browser: Browser, event: Page) -> Page:
    """The page of an order for one seat of this event. Asks again as the page says if it did not work."""
    for _ in range(HOLD_TRIES):
        form = event.form_to(r"/events/[^/]+/orders$")
        seats = [each.value for each in form.fields if each.name == "seat" and not each.disabled] if form else []
        if form is None or not seats:
            break
        page = await browser.submit(form, [("seat", random.choice(seats))])  # noqa: S311  # a choice of seat is no secret
        if page.datum("order-number") is not None:
            return page
        event = page
    raise ValueError(f"No place could be held: {' '.join(event.alerts) or event.status}")


async def visit(url: str) -> Visit:
    """Opens a page as a stranger."""
    async with Browser() as browser:
        return await timed(browser, url)


async def timed(browser: Browser, url: str) -> Visit:
    """Opens a page with a browser that may have been here before."""
    started = time.monotonic()
    page = await browser.open(url)
    return Visit(page, time.monotonic() - started)


async def _event_urls(stage: Stage) -> list[str]:
    shop = stage.addresses["web"]
    page = (await visit(shop)).page
    return list(dict.fromkeys(url for url, _ in page.links if re.fullmatch(rf"{re.escape(shop)}/events/[^/?]+", url)))


async def _buy(stage: Stage, wish: Wish) -> Purchase:
    urls = await Buyer(stage.addresses, wish).find_events()
    return await Buyer(stage.addresses, wish).buy(urls)
