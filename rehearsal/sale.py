"""A sale with a waiting room, announced and ended on the page where whoever runs a sale does so."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx

from chassis.clock import utc_now, zone_of
from local.browser import Browser, Form, Page
from local.errors import StartError
from rehearsal.event import until_it_has_a_waiting_room

WATCH_SECONDS = 2.0
_RATE_NOW = re.compile(r"People a minute, now ([\d,]+)")
_ZONE = re.compile(r"On the clock of the event \(([^)\s]+)\)")
DOORS_OPENED_SECONDS = 60.0


@dataclass(frozen=True)
class Door:
    """How people are let in: `rate` people a minute, and `inside` at the same time, at most."""

    rate: int
    inside: int


@asynccontextmanager
async def waiting_room(shop: str, key: str, event_id: str, door: Door, start_seconds: float) -> AsyncIterator[None]:
    """It is announced and seen on the event's page as long as the block runs, then it is closed. Raises StartError."""
    await announce(shop, key, event_id, door, start_seconds)
    try:
        await until_it_has_a_waiting_room(shop, event_id)
        yield
    finally:
        await end(shop, key, event_id)


async def announce(shop: str, key: str, event_id: str, door: Door, start_seconds: float) -> None:
    """Its doors are open, and lots are drawn after so many seconds. `key` is that of support. Raises StartError."""
    async with Browser() as desk:
        page = await _desk(desk, shop, key, event_id)
        zone = _ZONE.search(page.text)
        form = page.form_to(rf"/support/sales/{event_id}$")
        if zone is None or form is None:
            state = page.datum("sale-state")
            raise StartError(
                f"No sale can be announced for {shop}/events/{event_id} (it is {state}). Choose an event without a waiting "
                "room; or leave out KEY=, and the crowd goes through the one that there is."
            )
        now = utc_now().astimezone(zone_of(zone[1]))
        moments = {"doors_open_at": -DOORS_OPENED_SECONDS, "starts_at": start_seconds}
        written = [(name, f"{now + timedelta(seconds=more):%Y-%m-%dT%H:%M:%S}") for name, more in moments.items()]
        speed = [("rate", str(door.rate)), ("most_active", str(door.inside))]
        page = await desk.submit(form, [*written, *speed])
        if page.datum("sale-state") != "doors_open":
            raise StartError(f"The sale could not be announced: {' '.join(page.alerts) or page.text[:200]}")


async def watch_rate(shop: str, key: str, event_id: str, note: Callable[[float], None]) -> None:
    """Notes again and again how many people a minute are allowed in: what the shop can take, as the waiting room thinks."""
    async with Browser() as desk:
        await _desk(desk, shop, key, event_id)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                page = await desk.open(f"{shop}/support/sales/{event_id}")
            except httpx.HTTPError:
                continue  # it is asked again
            if page.datum("sale-state") == "selling" and (rate := _RATE_NOW.search(page.text)):
                note(float(rate[1].replace(",", "")))


async def end(shop: str, key: str, event_id: str) -> None:
    """The waiting room is closed, so that nobody takes steps of its sale any more. One that is closed stays so."""
    async with Browser() as desk:
        page = await _desk(desk, shop, key, event_id)
        form = next((each for each in page.forms if ("do", "end") in each.initial()), None)
        if form is not None:
            await desk.submit(form, [])


async def _desk(desk: Browser, shop: str, key: str, event_id: str) -> Page:
    page = await desk.open(f"{shop}/support/sales/{event_id}")
    form: Form | None = page.form_to(r"/support/enter$")
    if form is not None:
        page = await desk.submit(form, [("key", key)])
    if page.datum("sale-state") is None:
        raise StartError(
            f"{shop}/support/sales/{event_id} cannot be entered: {' '.join(page.alerts) or page.status} "
            "KEY= is the support key of that shop."
        )
    return page
