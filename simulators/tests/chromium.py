"""Opens pages in a real Chromium and looks at them as axe does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright

from local.chromium import find_chromium


@asynccontextmanager
async def phone(scheme: Literal["light", "dark"]) -> AsyncIterator[Page]:
    """A page of a phone's size, with the policies of the site in force."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        try:
            context = await browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
            yield await context.new_page()
        finally:
            await browser.close()


async def assert_accessible(page: Page) -> None:
    """No axe violation, and nothing to scroll sideways."""
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"The page is {width} px wide on a phone of 390."
