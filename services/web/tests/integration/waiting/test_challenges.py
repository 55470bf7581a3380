"""A sale that asks for a proof of work, as its pages say it and hand it on; what is computed, the waiting room alone judges."""

import hashlib

import pytest

from services.web.frame.assets import own_assets
from services.web.tests.integration.conftest import Browser, Stage
from services.web.tests.reading_pages import PageRead
from services.web.tests.waiting_neighbour import GOOD_SOLUTION, LATE_SOLUTION, PUZZLE

# The worker as ALTCHA published it, behind the lines with its licence.
WORKER_SHA256 = "7862add9c9d3d847ded3da928edcf406b46478754b9883351111414825b9c86f"


def path_of(stage: Stage) -> str:
    return f"/events/{stage.festival}/queue"


async def asked(stage: Stage) -> tuple[Browser, PageRead]:
    """Somebody on the page of a sale that asks for a proof."""
    stage.neighbours.waitingroom.schedule(stage.festival, challenge=True)
    browser = await stage.browser()
    return browser, await browser.open(path_of(stage))


async def test_a_sale_that_asks_for_nothing_says_nothing_of_it(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await stage.browser()
    page = await browser.open(path_of(stage))
    assert ("data-challenge" in page.html, "JavaScript" in page.html, "solution" in page.forms[path_of(stage)]) == (
        False,
        False,
        False,
    )


async def test_the_page_says_what_will_happen_also_to_who_has_no_javascript(stage: Stage) -> None:
    _, page = await asked(stage)
    assert f'data-challenge="{path_of(stage)}/challenge"' in page.html
    assert own_assets().address("altcha-pbkdf2.js") in page.html
    without = page.html.split("<noscript>\n", 1)[1].split("</noscript>", 1)[0]
    assert "Joining this queue needs JavaScript." in without
    assert page.forms[path_of(stage)]["solution"] == ""


async def test_the_script_gets_the_challenge_with_a_form_of_ours_and_nothing_otherwise(stage: Stage) -> None:
    browser, page = await asked(stage)
    path = f"{path_of(stage)}/challenge"
    answer = await browser.http.post(path, data=page.forms[path_of(stage)])
    assert (answer.text, answer.headers["cache-control"]) == (PUZZLE, "no-store")
    assert (await browser.http.post(path, data={})).status_code == 403
    stage.neighbours.waitingroom.sales[str(stage.festival)]["challenge"] = False
    assert (await browser.http.post(path, data=page.forms[path_of(stage)])).json() is None
    stage.neighbours.down.add("waitingroom")
    assert (await browser.http.post(path, data=page.forms[path_of(stage)])).json() is None


async def test_who_brings_what_was_computed_is_in_the_queue(stage: Stage) -> None:
    browser, page = await asked(stage)
    joined = await browser.send(page, path_of(stage), solution=GOOD_SOLUTION)
    assert joined.status_code == 303, joined.text
    assert (await browser.open(path_of(stage))).main["data-phase"] == "equal"


@pytest.mark.parametrize(
    ("solution", "status", "words"),
    [
        ("", 403, "Your browser has to compute first."),
        ("d3Jvbmc=", 422, "What your browser computed is not right."),
        ("x" * 5000, 422, "What your browser computed is not right."),
        (LATE_SOLUTION, 410, "Your browser was too slow, or this page slept."),
        (GOOD_SOLUTION, 409, "Somebody has joined with this computation already."),
    ],
)
async def test_who_is_refused_is_told_why_and_can_go_on(stage: Stage, solution: str, status: int, words: str) -> None:
    browser, page = await asked(stage)
    stage.neighbours.waitingroom.used.add(GOOD_SOLUTION)
    refused = await browser.send(page, path_of(stage), solution=solution)
    assert (refused.status_code, words in refused.text) == (status, True)
    stage.neighbours.waitingroom.used.clear()
    again = await browser.send(PageRead(refused.text), path_of(stage), solution=GOOD_SOLUTION)
    assert again.status_code == 303, again.text


async def test_a_sale_that_asks_from_now_on_is_shown_so_to_who_was_refused(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await stage.browser()
    page = await browser.open(path_of(stage))
    stage.neighbours.waitingroom.sales[str(stage.festival)]["challenge"] = True
    refused = await browser.send(page, path_of(stage))
    assert (refused.status_code, "data-asks-proof" in refused.text) == (403, True)


async def test_the_worker_is_as_it_was_published_and_may_do_nothing_but_compute(stage: Stage) -> None:
    browser = await stage.browser()
    answer = await browser.http.get(own_assets().address("altcha-pbkdf2.js"))
    _, published = answer.text.split("*/\n", 1)
    assert hashlib.sha256(published.encode()).hexdigest() == WORKER_SHA256
    assert "MIT License" in answer.text
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    page = await browser.http.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
