"""A real Chromium on the running system."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from local.chromium import find_chromium, missing_chromium
from local.system import System

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
# What browsers say of answers that a test provokes on purpose.
_EXPECTED_NOISE = "Failed to load resource"


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
                errors.append(said.text) if said.type == "error" and _EXPECTED_NOISE not in said.text else None
            ),
        )
        made = Visit(system.addresses["web"], context, page, errors)
        visits.append(made)
        return made

    yield make
    for made in visits:
        made.context.close()
        assert made.errors == []
