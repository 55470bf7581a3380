"""Journeys in steps: what people do besides buying as usual, and what they saw. None of it knows which drill is on."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drills.shopper import Fill, Shopper, offers, places, seats
from local.browser import Page

if TYPE_CHECKING:
    from drills.stage import Stage

FINAL = frozenset({"confirmed", "cancelled"})
CONFIRMED_SECONDS = 30.0
# Somebody who has paid and closed the window looks again after this time.
PATIENCE_SECONDS = 7.0
# Between the click that leads back from the bank and the one that cancels, in another tab.
SECOND_CLICK_SECONDS = 0.3
CLASS = 9
GREAT_HOUSE = 200


@dataclass(frozen=True)
class Errand:
    """A purchase with all its papers. What could not be done is None."""

    order: Page
    # What came after "Pay", and how long it took in seconds.
    bank: Page
    bank_seconds: float
    confirmed: Page | None = None
    printed: Page | None = None

    @property
    def total(self) -> str:
        """What the order says that it costs, as digits: `78.00`."""
        return _amount(self.order.text.partition("Total")[2])

    @property
    def charge(self) -> str:
        """What the bank asks for, as digits; empty if it was not reached."""
        return _amount(self.bank.text) if any(form.has("number") for form in self.bank.forms) else ""


@dataclass(frozen=True)
class Cancelled:
    """What the shop answered to the click on "Cancel", and how the order ended."""

    answer: Page
    end: Page


async def buy_and_print(stage: Stage) -> Errand:
    """A guest buys two places without seats and loads the tickets as a PDF."""
    async with Shopper(stage.addresses) as shopper:
        order = await _held(stage, shopper, places(2))
        started = time.monotonic()
        bank = await shopper.go_to_bank(order)
        errand = Errand(order, bank, time.monotonic() - started)
        if not errand.charge:
            return errand
        await shopper.pay(bank)
        confirmed = await shopper.watch(order.url, lambda page: page.datum("phase") == "confirmed", CONFIRMED_SECONDS)
        printed = await shopper.open(f"{order.url}/tickets.pdf?format=phone")
        return Errand(order, bank, errand.bank_seconds, confirmed, printed)


async def hold_seats_for_a_class(stage: Stage) -> Page:
    """A teacher takes nine seats in a great house: the page that comes then."""
    async with Shopper(stage.addresses) as shopper:
        event = await shopper.open(await stage.once(_great_house))
        return await shopper.hold(event, seats(CLASS))


async def look_at_all_events(stage: Stage) -> list[Page]:
    """Many people look at all events in the same moment."""
    async with Shopper(stage.addresses) as shopper:
        return list(await asyncio.gather(*(shopper.open(url) for url in await _events(shopper))))


async def cancel_while_paying(stage: Stage) -> Cancelled:
    """Somebody pays, is on the way back from the bank, and presses "Cancel" in the tab that is still open."""
    async with Shopper(stage.addresses) as shopper:
        order = await _held(stage, shopper, places(1))
        bank = await shopper.go_to_bank(order)
        other_tab = await shopper.open(order.url)
        way_back = await shopper.pay_and_leave(bank)
        coming_back = asyncio.create_task(shopper.open(way_back))
        await asyncio.sleep(SECOND_CLICK_SECONDS)
        answer = await shopper.cancel(other_tab)
        await coming_back
        end = await shopper.watch(order.url, lambda page: page.datum("order-state") in FINAL, CONFIRMED_SECONDS)
        return Cancelled(answer, end)


async def pay_and_leave(stage: Stage) -> Page:
    """Somebody pays, closes the window at the bank, and looks at the order a little later."""
    async with Shopper(stage.addresses) as shopper:
        order = await _held(stage, shopper, places(1))
        await shopper.pay_and_leave(await shopper.go_to_bank(order))
        return await shopper.watch(order.url, lambda page: page.datum("phase") == "confirmed", PATIENCE_SECONDS)


async def _held(stage: Stage, shopper: Shopper, choose: Fill) -> Page:
    return await shopper.hold(await shopper.open(await stage.once(_event_with_places)), choose)


async def _event_with_places(stage: Stage) -> str:
    return await _find(stage, places(2))


async def _great_house(stage: Stage) -> str:
    return await _find(stage, seats(GREAT_HOUSE))


async def _find(stage: Stage, choose: Fill) -> str:
    """The first event that has what somebody wants."""
    async with Shopper(stage.addresses) as shopper:
        for url in await _events(shopper):
            if offers(await shopper.open(url), choose):
                return url
    raise LookupError("No event has enough places left. Begin with a new data folder: make up DATA=...")


async def _events(shopper: Shopper) -> list[str]:
    listing = await shopper.open("/")
    return list(dict.fromkeys(url for url, _ in listing.links if re.fullmatch(r"[^/]+//[^/]+/events/[^/?]+", url)))


def _amount(text: str) -> str:
    found = re.search(r"\d[\d,]*\.\d\d", text)
    return found[0] if found else ""
