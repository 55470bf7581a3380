"""One person in the shop, step by step: for journeys on which more happens than buying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from uuid import uuid4

from local.browser import Browser, Form, Page
from local.buyer import GOOD_CARD

Fill = Callable[[Form], list[tuple[str, str]]]

LOOK_SECONDS = 0.1
_TO_HOLD, _TO_PAY, _TO_CANCEL, _AT_BANK = r"/events/[^/]+/orders$", r"/orders/[^/]+/pay$", r"/cancel$", r"^/pay/"


class Stopped(Exception):
    """Somebody could not go on: the page does not have what the next step needs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        super().__init__(f"{page.url} answered {page.status}: {' '.join([*page.headings, *page.alerts])}")


class Shopper:
    """Somebody with one browser. An async context manager. Every step raises `Stopped` if its page has no such form."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._shop = addresses["web"]
        self._email = f"shopper-{uuid4().hex[:12]}@example.test"
        self._browser = Browser()

    async def __aenter__(self) -> Self:
        await self._browser.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._browser.__aexit__(kind, error, trace)

    async def open(self, address: str) -> Page:
        """Opens an address, whole or as a path in the shop."""
        return await self._browser.open(address if "://" in address else self._shop + address)

    async def hold(self, event: Page, choose: Fill) -> Page:
        """Takes places on an event's page: the order's page, or what came instead."""
        return await self._submit(event, _TO_HOLD, choose)

    async def go_to_bank(self, order: Page) -> Page:
        """Gives a name and an address on an order's page: the bank's page, or what came instead."""
        return await self._submit(order, _TO_PAY, lambda _: [("name", "Robin Shopper"), ("email", self._email)])

    async def pay(self, bank: Page) -> Page:
        """Pays at the bank, and is led back to the shop."""
        return await self._submit(bank, _AT_BANK, _card)

    async def pay_and_leave(self, bank: Page) -> str:
        """Pays at the bank, and closes the window. The address in the shop to which the bank would have led."""
        return await self._browser.send(_form(bank, _AT_BANK), _card(_form(bank, _AT_BANK)))

    async def cancel(self, order: Page) -> Page:
        """Presses the button on an order's page that gives the places back."""
        return await self._submit(order, _TO_CANCEL, lambda _: [])

    async def watch(self, address: str, until: Callable[[Page], bool], seconds: float) -> Page:
        """Looks at a page again and again until it is so, or for so long."""
        deadline = time.monotonic() + seconds
        while True:
            page = await self.open(address)
            if until(page) or time.monotonic() > deadline:
                return page
            await asyncio.sleep(LOOK_SECONDS)

    async def _submit(self, page: Page, action: str, fill: Fill) -> Page:
        form = _form(page, action)
        return await self._browser.submit(form, fill(form))


def _form(page: Page, action: str) -> Form:
    form = page.form_to(action)
    if form is None:
        raise Stopped(page)
    return form


def _card(_form: Form) -> list[tuple[str, str]]:
    return [("number", GOOD_CARD), ("expiry", "12/39"), ("cvc", "123")]


def seats(many: int) -> Fill:
    """So many free seats, the first ones of the house; none if there are fewer."""

    def choose(form: Form) -> list[tuple[str, str]]:
        free = [each.value for each in form.fields if each.name == "seat" and not each.disabled]
        return [("seat", seat) for seat in free[:many]] if len(free) >= many else []

    return choose


def places(many: int) -> Fill:
    """So many places of the first class that has no seats and costs something; none if there are fewer."""

    def choose(form: Form) -> list[tuple[str, str]]:
        offered = [each for each in form.fields if each.name.startswith("quantity-") and not each.disabled]
        priced = [each for each in offered if each.attributes.get("data-price") != "0"]
        enough = [each for each in priced if int(each.attributes.get("max") or many) >= many]
        return [(each.name, str(many)) for each in enough[:1]]

    return choose


def offers(event: Page, choose: Fill) -> bool:
    """Whether an event's page has what somebody would choose."""
    form = event.form_to(_TO_HOLD)
    return form is not None and bool(choose(form))
