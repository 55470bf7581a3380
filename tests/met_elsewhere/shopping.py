"""One person with one browser, step by step, on a running system."""

import asyncio
import re
from typing import Any, Self
from urllib.parse import urlencode, urljoin
from uuid import uuid4

import httpx
import pypdfium2

from local.browser import Browser, Form, Page
from local.buyer import GOOD_CARD
from local.system import System

SOON_SECONDS = 30.0
LOOK_SECONDS = 0.1


def plain(text: str) -> str:
    """As a person reads it: every blank is a blank."""
    return " ".join(text.split())


class Shopper:
    """A browser in front of the shop, whose owner reads these languages, and their mailbox."""

    def __init__(self, system: System, email: str | None = None, languages: str | None = None) -> None:
        self._system = system
        self._shop = system.addresses["web"]
        self.browser = Browser(languages=languages)
        self.email = email or f"shopper-{uuid4().hex[:10]}@example.test"

    async def __aenter__(self) -> Self:
        await self.browser.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.browser.__aexit__(*error)

    async def open(self, path: str) -> Page:
        """A page of the shop."""
        return await self.browser.open(urljoin(self._shop, path))

    async def search(self, words: str) -> list[str]:
        """The pages of events that the shop finds."""
        listing = await self.open(f"/?{urlencode({'q': words})}")
        return list(dict.fromkeys(url for url, _ in listing.links if re.search(r"/events/[0-9a-f-]{36}$", url)))

    async def find(self, name: str) -> str:
        """The page of the event with this name, as soon as the shop knows it."""
        async with asyncio.timeout(SOON_SECONDS):
            while True:
                if found := await self.search(name):
                    return found[0]
                await asyncio.sleep(LOOK_SECONDS)

    async def hold(self, event_url: str, quantity: int = 1) -> Page:
        """Holds places of the first class that can be chosen; the order's page. Fails with what the shop says against it."""
        async with asyncio.timeout(SOON_SECONDS):
            while True:
                form = form_to(await self.browser.open(event_url), r"/orders$")
                free = [each for each in form.fields if each.name.startswith("quantity-") and not each.disabled]
                page = await self.browser.submit(form, [(free[0].name, str(quantity))])
                if page.datum("order-number"):
                    return page
                assert "being opened at this moment" in page.text, page.text
                await asyncio.sleep(LOOK_SECONDS)

    async def pay(self, order: Page, name: str = "Robin Buyer", card: str = GOOD_CARD) -> Page:
        """Pays; the bank's page, or that of a free order."""
        page = await self.browser.submit(form_to(order, r"/pay$"), [("name", name), ("email", self.email)])
        for form in page.forms:
            if form.has("number"):
                await self.browser.submit(form, [("number", card), ("expiry", "12/39"), ("cvc", "123")])
        return page

    async def confirmed(self, order_url: str) -> Page:
        """The order's page with its tickets."""
        async with asyncio.timeout(SOON_SECONDS):
            while True:
                page = await self.browser.open(order_url)
                if page.all_data("ticket-code"):
                    return page
                await asyncio.sleep(LOOK_SECONDS)

    async def mail(self, words: str) -> dict[str, Any]:
        """The message to this person whose subject has these words: headers, text, html, and `tickets`, the words of its PDF."""
        query = urlencode({"to": self.email})
        async with (
            asyncio.timeout(SOON_SECONDS),
            httpx.AsyncClient(base_url=self._system.addresses["mailbox"], timeout=30) as box,
        ):
            while True:
                for each in (await box.get(f"/api/messages?{query}")).json()["items"]:
                    if words in each["subject"]:
                        message: dict[str, Any] = (await box.get(f"/api/messages/{each['id']}")).json()
                        pdf = (
                            (await box.get(f"/api/messages/{each['id']}/attachments/1"))
                            if each["attachments"]
                            else None
                        )
                        return message | {"tickets": words_of(pdf.content) if pdf else ""}
                await asyncio.sleep(LOOK_SECONDS)


def words_of(pdf: bytes) -> str:
    """What can be copied out of a PDF."""
    read: Any = pypdfium2.PdfDocument
    with read(pdf) as document:
        return plain(" ".join(page.get_textpage().get_text_bounded() for page in document))


def form_to(page: Page, pattern: str) -> Form:
    """The form that leads there; fails with the page's words if there is none."""
    form = page.form_to(pattern)
    assert form is not None, page.text
    return form
