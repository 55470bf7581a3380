"""A sale with a waiting room, as whoever runs it and a guest go through it."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from chassis.clock import utc_now, zone_of
from drills.organiser import load_sale
from local.browser import Browser, Form, Page
from local.provision import make_secrets
from local.topology import Layout

if TYPE_CHECKING:
    from drills.stage import Stage

DRAW_SECONDS = 4
# Long enough for the draw, a step, and the pages that hear of them.
TURN_SECONDS = 14.0
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Waited:
    """The queue's page as a guest saw it last: `phase` is turn when they may come in."""

    page: Page
    phase: str


async def wait_for_my_turn(stage: Stage) -> Waited:
    """Whoever runs a sale announces it; a guest who is alone joins, and waits for their turn. Then the sale is ended."""
    event_url = await load_sale(stage)
    async with Browser() as desk, Browser() as guest:
        sale = await _announce(stage, desk, event_url)
        try:
            return await _wait(guest, event_url)
        finally:
            await _end(desk, sale.url)


@dataclass(frozen=True)
class Bought:
    """What came of holding places twice with one turn: the pages. None if it never was their turn."""

    pages: tuple[Page, ...]

    @property
    def orders(self) -> int:
        """How many of them are orders."""
        return sum("/orders/" in page.url for page in self.pages)


async def use_a_turn_twice(stage: Stage) -> Bought:
    """A guest waits, comes in, opens the event in two tabs, and holds a place in both at once."""
    event_url = await load_sale(stage)
    async with Browser() as desk, Browser() as guest:
        sale = await _announce(stage, desk, event_url)
        try:
            waited = await _wait(guest, event_url)
            way_in = waited.page.form_to(r"/events/[^/]+/queue/pass$")
            if way_in is None:
                return Bought(())
            await guest.submit(way_in, [])
            tabs = [await guest.open(event_url) for _ in range(2)]
            return Bought(tuple(await asyncio.gather(*(_hold(guest, tab) for tab in tabs))))
        finally:
            await _end(desk, sale.url)


async def _hold(guest: Browser, page: Page) -> Page:
    form = _form(page, r"/events/[^/]+/orders$")
    quantity = next(field.name for field in form.fields if field.name.startswith("quantity-"))
    return await guest.submit(form, [(quantity, "1")])


async def _announce(stage: Stage, desk: Browser, event_url: str) -> Page:
    page = await desk.open(event_url.replace("/events/", "/support/sales/"))
    key = make_secrets(Layout(stage.data)).web_support_key
    page = await desk.submit(_form(page, r"/support/enter$"), [("key", key)])
    now = utc_now().astimezone(zone_of("Europe/Berlin"))
    opens, starts = now - timedelta(minutes=1), now + timedelta(seconds=DRAW_SECONDS)
    moments = {"doors_open_at": opens, "starts_at": starts}
    wished = {name: f"{moment:%Y-%m-%dT%H:%M:%S}" for name, moment in moments.items()}
    wished |= {"rate": "600", "most_active": "10"}
    return await desk.submit(_form(page, r"/support/sales/[^/]+$"), list(wished.items()))


async def _wait(guest: Browser, event_url: str) -> Waited:
    queue_url = f"{event_url}/queue"
    page = await guest.open(queue_url)
    deadline = time.monotonic() + TURN_SECONDS
    while time.monotonic() < deadline:
        phase = page.datum("phase") or ""
        if phase in {"turn", "inside"}:
            return Waited(page, phase)
        form = page.form_to(r"/events/[^/]+/queue$")
        if form is not None:
            page = await guest.submit(form, [])
        await asyncio.sleep(LOOK_SECONDS)
        page = await guest.open(queue_url)
    return Waited(page, page.datum("phase") or "")


async def _end(desk: Browser, sale_url: str) -> None:
    """Ends the sale, so that no step of it runs beside what is practised next."""
    page = await desk.open(re.sub(r"[?#].*", "", sale_url))
    form = next(form for form in page.forms if form.action.endswith("/steer") and ("do", "end") in form.initial())
    await desk.submit(form, [])


def _form(page: Page, pattern: str) -> Form:
    form = page.form_to(pattern)
    if form is None:
        raise RuntimeError(f"{page.url} has no form to {pattern}: {' '.join([*page.headings, *page.alerts])}")
    return form
