"""A sale that makes browsers compute before they join: by keys, with what screen readers hear, and without JavaScript."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, Route, expect

from local.system import System
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.waiting import PATIENCE_MS, Visits, announce, come_in_and_hold, open_way_in, path_of, phase

pytestmark = pytest.mark.browser

CHALLENGES = "**/queue/challenge"
JOIN = "Join the queue"
NEEDS_JAVASCRIPT = "Joining this queue needs JavaScript."


def ask_for_proofs(support: Visit) -> None:
    """Who runs the sale makes browsers compute."""
    support.page.get_by_role("button", name="Make browsers compute before they join").click()
    expect(support.page.get_by_text("From now on the browser of whoever joins computes first.")).to_be_visible()
    support.assert_accessible()


def at_the_door(person: Visit, path: str) -> Page:
    """The waiting room's page, before joining."""
    page = open_way_in(person, path)
    page.get_by_role("link", name="Go to the waiting room").click()
    expect(phase(page)).to_have_attribute("data-phase", "join")
    return page


def without_javascript(person: Visit, path: str) -> None:
    """It is said before, and again to who presses nevertheless. Nobody is in the queue for it."""
    page = at_the_door(person, path)
    assert NEEDS_JAVASCRIPT in page.inner_text("main")
    page.get_by_role("button", name=JOIN).click()
    expect(page.get_by_text("Your browser has to compute first.")).to_be_visible()
    expect(phase(page)).to_have_attribute("data-phase", "join")


def by_keys_while_the_network_fails_once(person: Visit, path: str) -> None:
    """The button is pressed with a key; what happens is seen and said; after a failure it can be pressed again."""
    page = at_the_door(person, path)
    person.assert_accessible()
    assert NEEDS_JAVASCRIPT not in page.inner_text("main")
    page.route(CHALLENGES, lambda route: route.abort())
    page.get_by_role("button", name=JOIN).press("Enter")
    for shown in (page.locator("[data-not-computed]"), page.get_by_role("status")):
        expect(shown).to_have_text("There is no connection at the moment. Press the button again once there is one.")
    # Else the button looks busy for ever, and the page does not follow the queue any more.
    expect(page.get_by_role("button", name=JOIN)).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("form[data-challenge]")).not_to_have_attribute("data-sent", "yes")
    person.assert_accessible()
    held: list[Route] = []
    page.unroute(CHALLENGES)
    page.route(CHALLENGES, lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks what it is given
    page.get_by_role("button", name=JOIN).press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Your browser is computing. Then you are in the queue.")
    expect(page.locator("[data-not-computed]")).to_be_hidden()
    person.assert_accessible()
    # A second press asks for nothing more.
    page.get_by_role("button", name=JOIN).press("Enter")
    assert len(held) == 1
    held[0].continue_()
    expect(phase(page)).to_have_attribute("data-phase", "equal")


def with_what_is_not_theirs(person: Visit, path: str, solution: str) -> None:
    """Who sends what another browser computed, or what none did, reads why it does not count, and joins with an own one."""
    page = at_the_door(person, path)
    for sent, words in ((solution, "Somebody has joined with this computation already."), ("bm8=", "is not right")):
        page.evaluate(
            "sent => { const form = document.querySelector('[data-challenge]'); form.elements.solution.value = sent; form.submit(); }",
            sent,
        )
        expect(page.locator(".notice__title")).to_contain_text(words)
    person.assert_accessible()
    page.get_by_role("button", name=JOIN).click()
    expect(phase(page)).not_to_have_attribute("data-phase", "join")


def test_browsers_compute_before_they_join_and_each_computation_counts_once(
    visit: Visits, system: System, title: str
) -> None:
    keys, other, plain = visit(**PHONE), visit(**DESKTOP), visit(**DESKTOP, java_script_enabled=False)
    path = path_of(keys, title)
    support = announce(visit, system, path.rsplit("/", 1)[1])
    ask_for_proofs(support)
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/queue"):
            sent.extend(parse_qs(request.post_data or "")["solution"])

    keys.page.on("request", note)
    by_keys_while_the_network_fails_once(keys, path)
    assert len(sent) == 1
    with_what_is_not_theirs(other, path, sent[0])
    without_javascript(plain, path)
    expect(phase(keys.page)).to_have_attribute("data-phase", "turn", timeout=PATIENCE_MS)
    come_in_and_hold(keys.page)
    keys.pay_at_the_bank()
    expect(keys.page.locator("[data-ticket-code]")).to_have_count(1)
