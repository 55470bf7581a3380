"""A scripted buyer: everything that a person does with a browser to get a ticket, and the look into the mailbox after."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urljoin
from uuid import uuid4

import httpx

from local.browser import Browser, Form, Page

CONFIRMED_SECONDS = 60.0
MAIL_SECONDS = 60.0
LOOK_SECONDS = (0.05, 0.5)  # the first pause between two looks, and the longest
MOST_CHOICES = 5  # how often other seats are chosen when somebody was quicker
MOST_BANK_PAGES = 4
GOOD_CARD = "4242 4242 4242 4242"


class PurchaseFailed(Exception):
    """The purchase ended without tickets. `reason` is short, so that many can be counted."""

    def __init__(self, step: str, reason: str) -> None:
        self.step = step
        self.reason = reason
        super().__init__(f"{step}: {reason}")


class SoldOut(PurchaseFailed):
    """This event has not enough places any more; another may."""


@dataclass(frozen=True)
class Wish:
    """What a buyer wants. `event` is its id or a part of its title; `seats` a number of places or the ids of seats."""

    event: str = ""
    places: int = 2
    seats: tuple[str, ...] = ()
    card: str = GOOD_CARD
    prefer_general: bool = False


@dataclass
class Purchase:
    """What came of it. Times of the steps are in milliseconds."""

    email: str
    steps: list[tuple[str, float, str]] = field(default_factory=list)
    order_url: str = ""
    order_number: str = ""
    order_state: str = ""
    ticket_codes: list[str] = field(default_factory=list)
    trace_id: str = ""
    ended_at: float = 0.0  # when the tickets were there, by time.perf_counter
    failure: PurchaseFailed | None = None

    @property
    def total_ms(self) -> float:
        """From opening the event's page to the e-mail."""
        return sum(ms for _, ms, _ in self.steps)


class Buyer:
    """One person with one browser."""

    def __init__(self, addresses: dict[str, str], wish: Wish, reached: Mapping[str, str] | None = None) -> None:
        self._shop = addresses["web"]
        self._mailbox = addresses["mailbox"]
        self._wish = wish
        self._browser = Browser(reached)
        self._note = ""
        self.purchase = Purchase(email=f"buyer-{uuid4().hex[:12]}@example.test")

    async def find_events(self) -> list[str]:
        """The pages of the events that fit, in the shop's order. Raises PurchaseFailed if there is none."""
        async with self._browser:
            if self._wish.event and not self._is_title():
                return [urljoin(self._shop, f"/events/{quote(self._wish.event)}")]
            query = f"/?{urlencode({'q': self._wish.event})}" if self._wish.event else ""
            listing = await self._open("find an event", self._shop + query)
            found = list(dict.fromkeys(url for url, _ in listing.links if _is_event(url, self._shop)))
            fitting = [url for url in found if await self._fits(url)]
            if not fitting:
                raise PurchaseFailed("find an event", self._why_none(found))
            return fitting

    def _why_none(self, found: list[str]) -> str:
        named = self._wish.event
        if named and not found:
            return f"no event is called {named!r}; {self._shop} lists them all"
        those = f"of {len(found)} events that {named!r} finds" if named else f"of {len(found)} events"
        return f"{those} none is on sale with {self._wish.places} free places"

    async def buy(self, event_urls: list[str], turn: AbstractAsyncContextManager[object] | None = None) -> Purchase:
        """Goes through all steps, at the first event that is not sold out. What goes wrong is in `failure`.

        `turn` is held until the tickets are there, not while the e-mail is on its way.
        """
        async with self._browser:
            try:
                async with turn or nullcontext():
                    await self._buy(event_urls)
                self.purchase.ended_at = time.perf_counter()
                async with self._step("receive the e-mail"):
                    self._note = await self._wait_for_mail()
            except PurchaseFailed as error:
                self.purchase.failure = error
            except httpx.HTTPError as error:
                step = self.purchase.steps[-1][0] if self.purchase.steps else "open event"
                self.purchase.failure = PurchaseFailed(f"after {step}", f"no answer ({type(error).__name__})")
        return self.purchase

    async def _buy(self, event_urls: list[str]) -> None:
        order = await self._hold_somewhere(event_urls)
        self.purchase.order_url = order.url
        async with self._step("give name and e-mail"):
            bank = await self._pay(order)
        async with self._step("pay at the bank"):
            order = await self._give_card(bank) if bank is not None else order
        async with self._step("wait for confirmation"):
            order = await self._wait_until_confirmed()
        self.purchase.ticket_codes = order.all_data("ticket-code")

    # Places

    async def _hold_somewhere(self, event_urls: list[str]) -> Page:
        for event_url in event_urls[:-1]:
            with suppress(SoldOut):
                return await self._hold(event_url)
        return await self._hold(event_urls[-1])

    async def _hold(self, event_url: str) -> Page:
        for attempt in range(1, MOST_CHOICES + 1):
            async with self._step("open the event"):
                event = await self._open("open the event", event_url)
                form = event.form_to(r"/events/[^/]+/orders$")
                if form is None:
                    raise PurchaseFailed("open the event", "it is not on sale")
                places = self._choose(form)
            async with self._step("hold places"):
                order = await self._browser.submit(form, places)
                self._note = f"{len(places)} seats" if places[0][0] == "seat" else f"{self._wish.places} places"
            self._remember(order)
            if order.datum("order-number") is not None:
                return order
            somebody_was_quicker = order.status == httpx.codes.CONFLICT and places[0][0] == "seat"
            if not somebody_was_quicker or self._wish.seats or attempt == MOST_CHOICES:
                kind = SoldOut if order.status == httpx.codes.CONFLICT else PurchaseFailed
                raise kind("hold places", _problem_of(order))
        raise SoldOut("hold places", "others were quicker every time")

    def _choose(self, form: Form) -> list[tuple[str, str]]:
        """Seats beside each other in the form's order, else places of the first class that has enough."""
        if self._wish.seats:
            return [("seat", seat) for seat in self._wish.seats]
        general, seats = _general(form, self._wish.places), _free_seats(form)
        if general and (self._wish.prefer_general or len(seats) < self._wish.places):
            return [(general, str(self._wish.places))]
        if len(seats) < self._wish.places:
            raise SoldOut("open the event", "sold out")
        first = random.randrange(len(seats) - self._wish.places + 1)  # noqa: S311  # a choice of seat is no secret
        return [("seat", seat) for seat in seats[first : first + self._wish.places]]

    async def _fits(self, url: str) -> bool:
        form = (await self._browser.open(url)).form_to(r"/events/[^/]+/orders$")
        if form is None:
            return False
        if self._wish.event or self._wish.seats:
            return True
        if self._wish.prefer_general:  # and something to pay, so that the bank is part of it
            return _general(form, self._wish.places, even_free=False) is not None
        return len(_free_seats(form)) >= self._wish.places

    def _is_title(self) -> bool:
        """An id has 36 characters with four dashes; a title is looked for."""
        return bool(self._wish.event) and not (len(self._wish.event) == 36 and self._wish.event.count("-") == 4)

    # Money

    async def _pay(self, order: Page) -> Page | None:
        """Gives the contact; the bank's page, or None if there is nothing to pay."""
        form = order.form_to(r"/orders/[^/]+/pay$")
        if form is None:
            raise PurchaseFailed("give name and e-mail", f"the order cannot be paid ({order.datum('order-state')})")
        page = await self._browser.submit(form, [("name", "Robin Buyer"), ("email", self.purchase.email)])
        if any(each.has("number") for each in page.forms):
            return page
        self._remember(page)
        if page.datum("order-state") in {"paying", "authorised", "committed", "confirmed"}:
            return None
        raise PurchaseFailed("give name and e-mail", _problem_of(page))

    async def _give_card(self, bank: Page) -> Page:
        """Fills in the card, confirms if the bank asks for it, and comes back to the shop."""
        page = bank
        for _ in range(MOST_BANK_PAGES):
            form = next((each for each in page.forms if each.method == "post"), None)
            if page.datum("order-state") is not None:
                self._remember(page)
                return page
            if form is None or page.status >= httpx.codes.BAD_REQUEST:
                break
            card = [("number", self._wish.card), ("expiry", "12/39"), ("cvc", "123")]
            answer = [(each.name, each.value) for each in form.buttons[:1] if each.name]
            page = await self._browser.submit(form, card if form.has("number") else answer)
        raise PurchaseFailed("pay at the bank", _problem_of(page))

    # Afterwards

    async def _wait_until_confirmed(self) -> Page:
        deadline = time.monotonic() + CONFIRMED_SECONDS
        pause = LOOK_SECONDS[0]
        while True:
            page = await self._open("wait for confirmation", self.purchase.order_url)
            self._remember(page)
            if self.purchase.order_state == "confirmed" and page.all_data("ticket-code"):
                return page
            refused = self.purchase.order_state == "cancelled" or page.datum("phase") == "declined"
            if refused or time.monotonic() > deadline:
                words = page.headings[0] if page.headings else ""
                raise PurchaseFailed("wait for confirmation", f"{self.purchase.order_state} ({words})")
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LOOK_SECONDS[1])

    async def _wait_for_mail(self) -> str:
        """Waits for the message with the tickets; its subject."""
        url = f"{self._mailbox}/api/messages?{urlencode({'to': self.purchase.email})}"
        deadline = time.monotonic() + MAIL_SECONDS
        pause = LOOK_SECONDS[0]
        while time.monotonic() < deadline:
            items = (await self._browser.json(url))["items"]
            for message in items if isinstance(items, list) else []:
                if any(each["content_type"] == "application/pdf" for each in message["attachments"]):
                    return str(message["subject"])
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LOOK_SECONDS[1])
        raise PurchaseFailed("receive the e-mail", f"none with a PDF within {MAIL_SECONDS:g} s")

    # Small things

    async def _open(self, step: str, url: str) -> Page:
        page = await self._browser.open(url)
        if page.status >= httpx.codes.BAD_REQUEST:
            self._remember(page)
            raise PurchaseFailed(step, _problem_of(page))
        return page

    def _remember(self, page: Page) -> None:
        self.purchase.trace_id = page.meta.get("trace-id") or self.purchase.trace_id
        self.purchase.order_number = page.datum("order-number") or self.purchase.order_number
        self.purchase.order_state = page.datum("order-state") or self.purchase.order_state

    @asynccontextmanager
    async def _step(self, name: str) -> AsyncIterator[None]:
        started = time.perf_counter()
        self._note = ""
        yield
        self.purchase.steps.append((name, (time.perf_counter() - started) * 1000, self._note))


def _is_event(url: str, shop: str) -> bool:
    return url.startswith(f"{shop}/events/") and url.count("/") == shop.count("/") + 2 and "?" not in url


def _general(form: Form, places: int, *, even_free: bool = True) -> str | None:
    """The field of the first class without seats that has so many places."""
    for each in form.fields:
        most = each.attributes.get("max", "")
        enough = not each.disabled and (not most or int(most) >= places)
        if each.name.startswith("quantity-") and enough and (even_free or each.attributes.get("data-price") != "0"):
            return each.name
    return None


def _free_seats(form: Form) -> list[str]:
    return [each.value for each in form.fields if each.name == "seat" and not each.disabled]


def _problem_of(page: Page) -> str:
    """What a page says went wrong: its code, else its warning, else its heading."""
    return page.datum("problem") or " ".join(page.alerts) or next(iter(page.headings), f"status {page.status}")
