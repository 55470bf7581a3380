"""A real Chromium on the running system."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from local.chromium import find_chromium, missing_chromium
from local.system import System
from tests.met_elsewhere.events import an_event, an_offer

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
# What browsers say of answers that a test provokes on purpose.
_EXPECTED_NOISE = ("Failed to load resource", "WebSocket connection to")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each test has contexts of its own."""
    if reason := missing_chromium():
        pytest.fail(reason)
    with sync_playwright() as playwright:
        # Root may not use Chromium's sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """One person with a browser: its page, and what went wrong in it."""

    shop: str
    context: BrowserContext
    page: Page
    errors: list[str]

    def open(self, path: str) -> Page:
        """Loads a page of the shop."""
        self.page.goto(self.shop + path)
        return self.page

    def open_event(self, title: str) -> Page:
        """Finds an event by searching for it."""
        self.open("/")
        self.page.get_by_label("Search events").fill(title)
        self.page.keyboard.press("Enter")
        self.page.locator(".card__title a").first.click()
        self.page.wait_for_url("**/events/*")
        return self.page

    def pay_at_the_bank(self, number: str = "4242 4242 4242 4242") -> None:
        """Gives a name, goes to the bank, gives the card, and comes back."""
        self.page.get_by_label("Your name").fill("Zoë Groß")
        self.page.get_by_label("E-mail").fill("zoe@example.test")
        self.page.get_by_role("button", name="Pay").click()
        self.page.wait_for_url("**/pay/**")
        self.page.locator("[name=number]").fill(number)
        self.page.locator("[name=expiry]").fill("12/39")
        self.page.locator("[name=cvc]").fill("123")
        self.page.locator("form[method=post] button[type=submit], form[method=post] button").first.click()
        # Without JavaScript the address stays the one to which the bank sends: the order's own, with `/return`.
        self.page.wait_for_url("**/orders/**")

    def assert_accessible(self) -> None:
        """No violation that axe can find, with a report that names the elements."""
        results = Axe().run(self.page)
        assert results.violations_count == 0, f"{self.page.url}\n{results.generate_report()}"


@pytest.fixture
def visit(system: System, chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Makes visits; fails the test if a script of ours failed or was refused in any of them."""
    visits: list[Visit] = []

    def make(**options: Any) -> Visit:
        context = chromium.new_context(reduced_motion="reduce", **options)
        context.set_default_timeout(20_000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: (
                errors.append(said.text) if said.type == "error" and not said.text.startswith(_EXPECTED_NOISE) else None
            ),
        )
        made = Visit(system.addresses["web"], context, page, errors)
        visits.append(made)
        return made

    yield make
    for made in visits:
        made.context.close()
        assert made.errors == []


@pytest.fixture
def title(system: System, tmp_path: Path) -> str:
    """An event of its own, since a sale changes how it is bought."""
    title = f"Waited{uuid4().hex[:8]}"
    file = tmp_path / "event.json"
    file.write_text(json.dumps([an_event(title, title, offers=[an_offer(inventoryLevel=50)])]))
    system.load(str(file))
    return title


# A press in the middle of it would meet it, and nothing else.
_IS_MET = """seat => {
    const { x, y, width, height } = seat.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2) === seat;
}"""


def choose(seat: Locator) -> None:
    """Ticks a seat of the list, once it stands where it is seen: rows are laid out only when they come into view."""
    seat.evaluate("seat => seat.scrollIntoView({ block: 'center' })")
    for _ in range(100):
        if seat.evaluate(_IS_MET):
            break
        seat.page.wait_for_timeout(20)
    seat.check(force=True)
