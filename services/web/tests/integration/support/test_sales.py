"""A sale with a waiting room, as whoever runs it announces, sees and steers it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from services.web.tests.integration.conftest import SUPPORT_KEY, Browser, Stage

WISHED: dict[str, Any] = {
    "doors_open_at": "2031-12-01T10:00",
    "starts_at": "2031-12-01T10:30:15",
    "rate": "600",
    "most_active": "300",
}


async def inside(stage: Stage) -> Browser:
    """Somebody with the key, who came to the page of a sale and is led back to it."""
    browser, path = await stage.browser(), f"/support/sales/{stage.festival}"
    page = await browser.open(path)
    assert "Support key" in page.html
    entered = await browser.send(page, "/support/enter", key=SUPPORT_KEY)
    assert entered.headers["location"] == path
    return browser


async def send(stage: Stage, browser: Browser, status: int = 303, **fields: Any) -> str:
    """Sends the form of the page that has these fields; the page, or what it led to."""
    path = f"/support/sales/{stage.festival}"
    page = await browser.open(path)
    action = f"{path}/steer" if "do" in fields else path
    answer = await browser.send(page, action, **fields)
    assert answer.status_code == status, answer.text
    return answer.text if status != 303 else (await browser.open(answer.headers["location"])).html


def sale_of(stage: Stage) -> dict[str, Any]:
    return stage.neighbours.waitingroom.sales[str(stage.festival)]


async def test_without_the_key_nobody_sees_or_changes_a_sale(stage: Stage) -> None:
    browser, path = await stage.browser(), f"/support/sales/{stage.festival}"
    for action in (path, f"{path}/steer"):
        assert "Support key" in (await browser.http.post(action, data=WISHED | {"do": "end"})).text
    assert stage.neighbours.waitingroom.sales == {}


async def test_a_sale_is_announced_on_the_clock_of_its_event(stage: Stage) -> None:
    browser = await inside(stage)
    html = await send(stage, browser, **WISHED)
    assert "The sale is announced." in html
    sale = sale_of(stage)
    # The festival is in Berlin, an hour before UTC in winter.
    assert datetime.fromisoformat(sale["doors_open_at"]) == datetime.fromisoformat("2031-12-01T09:00:00Z")
    assert datetime.fromisoformat(sale["starts_at"]) == datetime.fromisoformat("2031-12-01T09:30:15Z")
    assert (sale["rate"], sale["most_active"]) == (600, 300)
    assert 'value="2031-12-01T10:30:15"' in html


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"starts_at": "2031-12-01T09:59"}, "The sale starts after its doors open."),
        ({"doors_open_at": "tomorrow"}, "Write a date and a time from 2000 to 2199."),
        ({"doors_open_at": "0001-01-01T00:00"}, "Write a date and a time from 2000 to 2199."),
        ({"doors_open_at": "1999-12-31T12:00"}, "Write a date and a time from 2000 to 2199."),
        ({"starts_at": "2200-01-02T00:00"}, "Write a date and a time from 2000 to 2199."),
        ({"rate": "0"}, "Write a number from 1 to 60,000."),
        ({"most_active": "1000001"}, "Write a number from 1 to 1,000,000."),
    ],
)
async def test_what_cannot_be_is_said_at_its_field_and_the_rest_is_kept(
    stage: Stage, wrong: dict[str, str], words: str
) -> None:
    browser = await inside(stage)
    html = await send(stage, browser, 422, **(WISHED | wrong))
    assert words in html
    kept = next(value for name, value in WISHED.items() if name not in wrong and name.endswith("at"))
    assert f'value="{kept}"' in html
    assert stage.neighbours.waitingroom.sales == {}


async def test_a_running_sale_shows_its_numbers_and_is_paused_goes_on_changes_and_ends(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival, "selling", -1, last_number=1234, serving=200, rate_now=42.0)
    browser = await inside(stage)
    html = (await browser.open(f"/support/sales/{stage.festival}")).html
    for shown in ("<dd data-serving>200", "<dd data-last-number>1,234", "<dd data-rate-now>42", "<dd>1,034"):
        assert shown in html
    assert "nobody is let in" in await send(stage, browser, do="pause")
    assert sale_of(stage)["state"] == "paused"
    assert "The sale goes on." in await send(stage, browser, do="go-on")
    assert sale_of(stage)["state"] == "selling"
    await send(stage, browser, do="change", rate="90", most_active="50")
    assert (sale_of(stage)["rate"], sale_of(stage)["most_active"]) == (90, 50)
    await send(stage, browser, 422, do="change", rate="many", most_active="50")
    assert "The sale has ended" in await send(stage, browser, do="end")
    assert sale_of(stage)["state"] == "ended"


async def test_browsers_are_asked_to_compute_and_no_more(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await inside(stage)
    assert "the browser of whoever joins computes first" in await send(stage, browser, do="ask-proof")
    assert sale_of(stage)["challenge"] is True
    assert "people join without computing" in await send(stage, browser, do="ask-none")
    assert sale_of(stage)["challenge"] is False
    stage.neighbours.waitingroom.has_key = False
    assert "WAITINGROOM_CHALLENGE_KEY" in await send(stage, browser, 409, do="ask-proof")
    assert sale_of(stage)["challenge"] is False


async def test_a_sale_that_has_begun_meanwhile_is_not_announced_again(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival, "announced")
    browser, path = await inside(stage), f"/support/sales/{stage.festival}"
    page = await browser.open(path)
    stage.neighbours.waitingroom.schedule(stage.festival, "selling", -1)
    late = await browser.send(page, path, **WISHED)
    assert (late.status_code, "This sale has begun." in late.text) == (409, True)


async def test_while_the_waiting_room_is_away_its_page_says_so_and_offers_no_form(stage: Stage) -> None:
    browser, path = await inside(stage), f"/support/sales/{stage.festival}"
    stage.neighbours.down.add("waitingroom")
    page = await browser.open(path, 503)
    assert ("The waiting room does not answer." in page.html, path in page.forms) == (True, False)


async def test_a_form_that_is_not_ours_changes_nothing(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await inside(stage)
    refused = await browser.http.post(f"/support/sales/{stage.festival}/steer", data={"do": "end"})
    assert (refused.status_code, sale_of(stage)["state"]) == (403, "doors_open")


async def test_an_event_that_nobody_knows_has_no_sale(stage: Stage) -> None:
    await (await inside(stage)).open(f"/support/sales/{uuid4()}", 404)
