"""The whole way through a waiting room: announced by support, joined, waited, let in, bought, proved; with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from local.system import System
from local.verify_queue import address_of, fetch, mistakes, read_proof
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.waiting import (
    PATIENCE_MS,
    Visits,
    announce,
    come_in_and_hold,
    join,
    look_again_until_turn,
    open_way_in,
    path_of,
    phase,
)

pytestmark = pytest.mark.browser


def test_people_wait_are_let_in_and_buy_with_and_without_javascript(visit: Visits, system: System, title: str) -> None:
    live = visit(**PHONE, color_scheme="dark")
    path = path_of(live, title)
    support = announce(visit, system, path.rsplit("/", 1)[1])
    plain = visit(**DESKTOP, java_script_enabled=False)
    page, plain_page = join(live, path), join(plain, path)
    live.assert_accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]  # type: ignore[index]
    # Without a reload: the page hears of the draw, and that it is their turn.
    expect(phase(page)).to_have_attribute("data-phase", "turn", timeout=PATIENCE_MS)
    live.assert_accessible()
    look_again_until_turn(plain_page)
    for person, shown in ((live, page), (plain, plain_page)):
        come_in_and_hold(shown)
        person.pay_at_the_bank()
    expect(page.locator("[data-ticket-code]")).to_have_count(1)
    assert open_way_in(live, path).locator("#buy").count() == 0
    _prove(live, path)
    _end(support, path, visit)


def _prove(person: Visit, path: str) -> None:
    """The browser draws again, and so does the program that anybody can run."""
    page = person.open(f"{path}/queue/proof")
    expect(page.locator("[data-verdict]")).to_contain_text("All is as it should be", timeout=PATIENCE_MS)
    expect(page.locator("[data-verdict]")).to_contain_text("Yours is")
    person.assert_accessible()
    proof = read_proof(address_of(person.shop + path, str), fetch)
    assert (mistakes(proof), len(proof.entries)) == ([], 2)


def _end(support: Visit, path: str, visit: Visits) -> None:
    """Support sees what was served and ends the sale: the event is bought as ever."""
    page = support.page
    page.get_by_role("link", name="Look again").click()
    expect(page.locator("[data-serving]")).to_have_text("2")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("main")).to_have_attribute("data-sale-state", "paused")
    page.get_by_role("button", name="End the sale for good").click()
    expect(page.locator("main")).to_have_attribute("data-sale-state", "ended")
    looking = visit(**PHONE).open(path)
    for _ in range(40):
        if looking.locator("#buy").count():
            return
        looking.wait_for_timeout(250)
        looking.reload()
    raise AssertionError("The event is not sold on its page after the sale with a waiting room has ended.")
