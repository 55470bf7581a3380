"""A buyer who keeps looking: what one purchase looks like until everything has come, or until it has been too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin

import httpx

from local.browser import Browser, Field, Form
from local.buyer import Buyer, PurchaseFailed, Wish

if TYPE_CHECKING:
    from drills.stage import Stage

# People wait longer for what comes last if all that came before was slow.
PATIENCE_SECONDS = 3.5
PATIENCE_SHARE = 1.0
LINGER_SECONDS = 1.0
LOOK_SECONDS = 0.1
CROWD = 3
_KNOWN: dict[str, str] = {}


@dataclass
class Followed:
    """What somebody saw of one purchase. Times are in seconds."""

    # Why nothing could be bought: the step and the shop's words.
    failure: str = ""
    step_seconds: dict[str, float] = field(default_factory=dict)
    # From opening the event to coming back from the bank, and from there until the order's page had tickets.
    paid_after: float = 0.0
    tickets_after: float | None = None
    state: str = ""
    # The numbers that the order's page and the e-mails give to those who ask about them.
    page_number: str = ""
    mail_numbers: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    # What the shop said instead of a page, once something was paid.
    errors: list[str] = field(default_factory=list)
    listed: int | None = None
    pdf_status: int | None = None


class Customer(Buyer):
    """One person with one browser, who goes on looking where others give up."""

    def __init__(self, addresses: dict[str, str], wish: Wish) -> None:
        super().__init__(addresses, wish)
        self.seen = Followed()

    async def follow(self, event_urls: Sequence[str], *, everything: bool = True) -> Followed:
        """Buys, and waits for tickets and e-mail; with `everything` looks at My tickets, the PDF and the mailbox again."""
        async with self._browser:
            try:
                await self._pay_for_places(event_urls)
                await self._wait_for_tickets(with_mail=everything)
                if everything and self.seen.state == "confirmed":
                    await self._look_around()
            except PurchaseFailed as failure:
                self.seen.failure = str(failure)
            except httpx.HTTPError as error:
                self.seen.failure = f"no answer ({type(error).__name__})"
        self.seen.step_seconds = {name: ms / 1000 for name, ms, _ in self.purchase.steps}
        return self.seen

    async def _pay_for_places(self, event_urls: Sequence[str]) -> None:
        started = time.monotonic()
        order = await self._hold_somewhere(list(event_urls))
        self.purchase.order_url = order.url
        async with self._step("give name and e-mail"):
            bank = await self._pay(order)
        async with self._step("pay at the bank"):
            try:
                if bank is not None:
                    await self._give_card(bank)
            except PurchaseFailed as failure:
                # The card was taken; what the shop said on the way back is another matter.
                self.seen.errors.append(failure.reason)
        self.seen.paid_after = time.monotonic() - started

    async def _wait_for_tickets(self, *, with_mail: bool) -> None:
        paid = time.monotonic()
        deadline = paid + PATIENCE_SECONDS + PATIENCE_SHARE * self.seen.paid_after
        while time.monotonic() < deadline:
            if self.seen.tickets_after is None:
                await self._look(paid)
            if with_mail:
                await self._read_mail()
            if self.seen.tickets_after is not None and (self.seen.subjects or not with_mail):
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, paid: float) -> None:
        page = await self._browser.open(self.purchase.order_url)
        if page.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self.seen.errors.append(page.datum("problem") or f"status {page.status}")
            return
        self._remember(page)
        self.seen.state = self.purchase.order_state
        self.seen.page_number = self.purchase.trace_id
        if page.all_data("ticket-code"):
            self.seen.tickets_after = time.monotonic() - paid

    async def _look_around(self) -> None:
        mine = await self._browser.open(f"{self._shop}/my/tickets")
        self.seen.listed = len(mine.all_data("ticket-code"))
        pdf = await self._browser.open(f"{self.purchase.order_url.partition('?')[0]}/tickets.pdf?format=phone")
        self.seen.pdf_status = pdf.status
        if self.seen.subjects:
            await asyncio.sleep(LINGER_SECONDS)
            await self._read_mail()

    async def _read_mail(self) -> None:
        found = await self._browser.json(f"{self._mailbox}/api/messages?{urlencode({'to': self.purchase.email})}")
        items = found["items"]
        messages = [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []
        self.seen.subjects = [str(one["subject"]) for one in messages]
        if len(messages) > len(self.seen.mail_numbers):
            self.seen.mail_numbers = [await self._number_in(one["id"]) for one in messages]

    async def _number_in(self, message_id: object) -> str:
        headers = (await self._browser.json(f"{self._mailbox}/api/messages/{message_id}"))["headers"]
        named = headers if isinstance(headers, list) else []
        return next((str(value) for name, value in named if str(name).lower() == "onsale-trace"), "")


async def follow_a_purchase(stage: Stage) -> Followed:
    """A guest buys two places without seats, and looks at everything that comes of it."""
    urls = await events_with_places(stage)
    return await Customer(stage.addresses, Wish(places=2, prefer_general=True)).follow(urls)


async def follow_a_crowd(stage: Stage) -> list[Followed]:
    """Some guests buy at the same time, and wait for their tickets."""
    urls = await events_with_places(stage)
    people = [Customer(stage.addresses, Wish(places=1, prefer_general=True)) for _ in range(CROWD)]
    return list(await asyncio.gather(*(one.follow(urls, everything=False) for one in people)))


async def _form_of(browser: Browser, url: str) -> tuple[Form, Field]:
    """The form of an event's page, and its field for a class without seats. Raises ValueError if there is none any more."""
    form = (await browser.open(url)).form_to(r"/events/[^/]+/orders$")
    chosen = next((one for one in form.fields if _is_free_class(one)), None) if form else None
    if form is None or chosen is None:
        raise ValueError("The event does not sell places without seats any more.")
    return form, chosen


async def hold_a_place(
    url: str, when: asyncio.Event | None = None, wait_seconds: float = 0.0, *, give_back: bool = True
) -> float:
    """How many seconds a new guest waits for a place, so long after `when`."""
    async with Browser() as browser:
        form, chosen = await _form_of(browser, url)
        if when is not None:
            await when.wait()
            await asyncio.sleep(wait_seconds)
        started = time.monotonic()
        order = await browser.submit(form, [(chosen.name, "1")])
        seconds = time.monotonic() - started
        let_go = order.form_to(r"/orders/[^/]+/cancel$")
        if give_back and let_go is not None:
            await browser.submit(let_go, [])
        return seconds


async def hold_a_place_and_list(url: str) -> tuple[str, list[str]]:
    """A new guest holds a place and opens My orders, then gives it back. The order's address, and those that are listed."""
    async with Browser() as browser:
        form, chosen = await _form_of(browser, url)
        order = await browser.submit(form, [(chosen.name, "1")])
        mine = await browser.open(urljoin(url, "/my/orders"))
        let_go = order.form_to(r"/orders/[^/]+/cancel$")
        if let_go is not None:
            await browser.submit(let_go, [])
        return order.url, [address for address, _ in mine.links]


async def events_with_places(stage: Stage) -> list[str]:
    """The first event that sells places without seats. Looked for once per shop: it means to open many pages."""
    shop = stage.addresses["web"]
    if shop not in _KNOWN:
        _KNOWN[shop] = await _find_event(shop)
    return [_KNOWN[shop]]


async def _find_event(shop: str) -> str:
    async with Browser() as browser:
        listing = await browser.open(shop)
        for url in dict.fromkeys(url for url, _ in listing.links if url.startswith(f"{shop}/events/")):
            form = (await browser.open(url)).form_to(r"/events/[^/]+/orders$")
            free = next((each for each in form.fields if _is_free_class(each)), None) if form else None
            if free is not None and free.attributes.get("data-price", "0") != "0":
                return url
    raise ValueError("No event sells places without seats.")


def _is_free_class(one: Field) -> bool:
    return one.name.startswith("quantity-") and not one.disabled
