"""Steps of people on their way through a waiting room, for the tests that go it."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from chassis.clock import utc_now, zone_of
from local.provision import make_secrets
from local.system import System
from tests.browser.conftest import DESKTOP, Visit

SECONDS_TO_THE_DRAW = 25
# The whole way of two people, of whom one looks again by hand.
PATIENCE_MS = 60_000
Visits = Callable[..., Visit]


def announce(visit: Visits, system: System, event_id: str) -> Visit:
    """Support gives the event a waiting room whose doors are open; lots are drawn in a moment."""
    support = visit(**DESKTOP)
    page = support.open(f"/support/sales/{event_id}")
    page.get_by_label("Support key").fill(make_secrets(system.layout).web_support_key)
    page.get_by_role("button", name="Come in").click()
    expect(page.locator("main")).to_have_attribute("data-sale-state", "none")
    support.assert_accessible()
    now = utc_now().astimezone(zone_of("Europe/Berlin"))
    moments = {"Doors open": -60, "Sale starts": SECONDS_TO_THE_DRAW}
    for label, seconds in moments.items():
        page.get_by_label(label).fill(f"{now + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}")
    page.get_by_label("People let in a minute").fill("6000")
    page.get_by_label("People inside at the same time").fill("10")
    page.get_by_role("button", name="Announce").click()
    expect(page.locator("main")).to_have_attribute("data-sale-state", "doors_open")
    support.assert_accessible()
    return support


def open_way_in(person: Visit, path: str) -> Page:
    """The event's page, once it has heard of the sale."""
    page = person.open(path)
    for _ in range(40):
        if page.locator("[data-way-in]").count():
            return page
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError("The event's page does not show the way into the waiting room.")


def join(person: Visit, path: str) -> Page:
    page = open_way_in(person, path)
    assert page.locator("#buy").count() == 0
    page.get_by_role("link", name="Go to the waiting room").click()
    page.get_by_role("button", name="Join the queue").click()
    expect(phase(page)).to_have_attribute("data-phase", "equal")
    return page


def phase(page: Page) -> Locator:
    return page.locator("main.queue")


def look_again_until_turn(page: Page) -> None:
    """Without JavaScript the page is loaded again by itself, which a test need not wait for."""
    for _ in range(PATIENCE_MS // 500):
        if phase(page).get_attribute("data-phase") == "turn":
            return
        page.wait_for_timeout(500)
        page.get_by_role("link", name="Look again now").click()
    raise AssertionError(f"It never was their turn: {phase(page).inner_text()}")


def come_in_and_hold(page: Page) -> None:
    page.get_by_role("button", name="Come in and choose your places").click()
    expect(page.get_by_text("It is your turn until")).to_be_visible()
    page.locator("input[type=number]").first.fill("1")
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")


def path_of(person: Visit, title: str) -> str:
    """The event's path, once the list has it."""
    for _ in range(40):
        person.open(f"/?q={title}")
        found = person.page.locator(".card__title a")
        if found.count():
            return str(found.first.get_attribute("href"))
        person.page.wait_for_timeout(250)
    raise AssertionError("The event is not on the list.")
