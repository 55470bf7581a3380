"""Every page, in light and dark, on a phone and on a desk: accessible, and still while it loads."""

from collections.abc import Callable
from typing import Any

import pytest

from local.provision import make_secrets
from local.system import System
from tests.browser.conftest import DESKTOP, PHONE, Visit, choose
from tests.browser.test_buying import FESTIVAL, THEATRE

pytestmark = pytest.mark.browser

HALL = "Tidal"
MOST_SHIFT = 0.02
# The sum of all layout shifts that nobody caused, as browsers measure it for Core Web Vitals.
_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_accessible(visit: Callable[..., Visit], device: dict[str, Any], scheme: str) -> None:
    person = visit(**device, color_scheme=scheme)
    for path in ("/", "/?q=nothing-like-it", "/my/tickets", "/my/orders", "/sign-in", "/sign-up", "/nowhere"):
        person.open(path)
        person.assert_accessible()
    person.open_event(FESTIVAL)
    person.assert_accessible()
    page = person.open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    person.assert_accessible()

    choose(page.locator("input[name=seat]:enabled").last)
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    person.assert_accessible()
    page.get_by_label("Your name").fill("Zoë Groß")
    page.get_by_label("E-mail").fill("zoe@example.test")
    page.get_by_role("button", name="Pay").click()
    page.wait_for_url("**/pay/**")
    page.go_back()
    page.wait_for_selector("[data-phase=paying]")
    person.assert_accessible()
    page.get_by_role("button", name="Cancel this order").click()
    page.wait_for_selector("[data-phase=cancelled]")
    person.assert_accessible()
    person.open("/my/orders")
    person.assert_accessible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_support_reads_a_story_that_is_accessible(
    visit: Callable[..., Visit], system: System, device: dict[str, Any], scheme: str
) -> None:
    buyer = visit(**device, color_scheme=scheme)
    page = buyer.open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    choose(page.locator("input[name=seat]:enabled").last)
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    number = page.locator("main").get_attribute("data-order-number")
    page.get_by_role("button", name="Cancel this order").click()
    page.wait_for_selector("[data-phase=cancelled]")

    support = visit(**device, color_scheme=scheme, java_script_enabled=False)
    page = support.open(f"/support/orders/{number}")
    page.get_by_label("Support key").fill(make_secrets(system.layout).web_support_key)
    page.get_by_role("button", name="Come in").click()
    page.wait_for_url(f"**/support/orders/{number}")
    story = page.locator(".story__what").all_inner_texts()
    assert story[0] == "The order was placed."
    assert "The buyer cancelled the order." in story
    page.get_by_label("Order number or trace").fill("nonsense")
    page.get_by_role("button", name="Look it up").click()
    assert "No order has this number." in page.locator("main").inner_text()

    # The same pages with scripts, since the check of accessibility is one.
    inside = support.context.storage_state()
    looking = visit(**device, color_scheme=scheme, storage_state=inside)
    for path in ("/support", f"/support/orders/{number}", "/support?q=nonsense"):
        page = looking.open(path)
        looking.assert_accessible()
        assert page.evaluate("document.documentElement.scrollWidth") <= device["viewport"]["width"]
    page.get_by_role("button", name="Leave support").click()
    page.wait_for_selector("#key")
    looking.assert_accessible()


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_moves_while_a_page_loads(visit: Callable[..., Visit], device: dict[str, Any]) -> None:
    person = visit(**device)
    person.open("/")
    assert person.page.evaluate(_SHIFT) <= MOST_SHIFT
    for title in (THEATRE, HALL, FESTIVAL):
        page = person.open_event(title)
        if title != FESTIVAL:
            page.wait_for_selector(".plan__live")
        assert page.evaluate(_SHIFT) <= MOST_SHIFT, title


def test_nothing_is_wider_than_a_small_phone(visit: Callable[..., Visit]) -> None:
    person = visit(viewport={"width": 320, "height": 640})
    for path in ("/", "/sign-up", "/nowhere"):
        page = person.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    for title in (THEATRE, HALL, FESTIVAL):
        page = person.open_event(title)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, title


def test_two_thousand_seats_are_ready_quickly_and_answer_the_first_tap(visit: Callable[..., Visit]) -> None:
    page = visit(**PHONE).open_event(HALL)
    page.wait_for_selector(".plan__live")
    assert page.locator("input[name=seat]").count() == 2000
    assert page.locator(".plan__seats circle").count() == 2000

    # Too small for a finger: the first tap looks closer, the second chooses.
    plan = page.locator(".plan__live")
    plan.tap()
    page.wait_for_selector(".plan.is-close")
    page.locator(".plan__seats circle:not([aria-disabled])").nth(500).evaluate("seat => seat.focus()")
    page.keyboard.press("Space")

    page.wait_for_selector("[data-choice] b")
    assert page.locator("input[name=seat]:checked").count() == 1


def test_pages_whose_scripts_never_arrive_are_accessible_too(visit: Callable[..., Visit]) -> None:
    # axe needs a browser that runs scripts, so these are the pages of somebody whose network lost ours.
    person = visit(**PHONE)
    person.context.route("**/*.js", lambda route: route.abort())
    person.open("/")
    person.assert_accessible()
    for title in (THEATRE, HALL, FESTIVAL):
        person.open_event(title)
        person.assert_accessible()
