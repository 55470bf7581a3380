"""The waiting room in a browser without JavaScript: joining, waiting, coming in, buying; and what is said on the way."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from chassis.testing import Harness
from services.web.browsing import shop
from services.web.tests.integration.conftest import Browser, Stage
from services.web.tests.neighbours import problem
from services.web.tests.reading_pages import PageRead


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a waiting room may take longer for its answer than a page waits for it."""
    monkeypatch.setattr(shop, "PATIENCE_SECONDS", 30.0)


async def join(stage: Stage, browser: Browser | None = None) -> Browser:
    """Somebody new in the queue of the festival."""
    browser = browser or await stage.browser()
    path = f"/events/{stage.festival}/queue"
    answer = await browser.send(await browser.open(path), path)
    assert (answer.status_code, answer.headers["location"]) == (303, path), answer.text
    return browser


async def phase(stage: Stage, browser: Browser, status: int = 200) -> tuple[str | None, str]:
    """Which phase the page shows, and all of it."""
    page = await browser.open(f"/events/{stage.festival}/queue", status)
    return page.main["data-phase"], page.html


async def come_in(stage: Stage, browser: Browser) -> httpx.Response:
    path = f"/events/{stage.festival}/queue"
    return await browser.send(await browser.open(path), f"{path}/pass")


async def let_in(stage: Stage) -> Browser:
    """Somebody whose turn it is, inside."""
    browser = await join(stage)
    stage.neighbours.waitingroom.start(stage.festival)
    stage.neighbours.waitingroom.set_all(stage.festival, "turn")
    answer = await come_in(stage, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{stage.festival}")
    return browser


def a_place(stage: Stage) -> dict[str, str]:
    class_id = stage.neighbours.events[str(stage.festival)]["classes"][0]["class_id"]
    return {f"quantity-{class_id}": "1"}


async def test_an_event_without_a_waiting_room_is_bought_as_ever_and_asked_for_once(stage: Stage) -> None:
    browser = await stage.browser()
    for _ in range(3):
        page = await browser.open(f"/events/{stage.festival}")
        assert f"/events/{stage.festival}/orders" in page.forms
    assert stage.neighbours.count("waitingroom", f"/sales/{stage.festival}") == 1
    queue = await browser.http.get(f"/events/{stage.festival}/queue")
    assert queue.headers["location"] == f"/events/{stage.festival}"


@pytest.mark.parametrize(
    ("state", "starts_in", "words"),
    [
        ("announced", 3600, "Its doors open on"),
        ("doors_open", 3600, "The sale starts on"),
        ("selling", -1, "has begun"),
    ],
)
async def test_an_event_with_one_shows_the_way_in_place_of_the_form(
    stage: Stage, state: str, starts_in: float, words: str
) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival, state, starts_in)
    page = await (await stage.browser()).open(f"/events/{stage.festival}")
    assert f"/events/{stage.festival}/orders" not in page.forms
    assert f"/events/{stage.festival}/queue" in page.links
    assert words in page.html


async def test_a_waiting_room_that_is_announced_is_on_pages_that_were_kept(stage: Stage, harness: Harness) -> None:
    browser = await stage.browser()
    assert f"/events/{stage.festival}/orders" in (await browser.open(f"/events/{stage.festival}")).forms
    stage.neighbours.waitingroom.schedule(stage.festival)
    await harness.tell("events.waitingroom.sale_scheduled.v1", {"event_id": str(stage.festival)})

    async def is_shown() -> bool:
        return f"/events/{stage.festival}/queue" in (await browser.open(f"/events/{stage.festival}")).links

    await harness.eventually(is_shown)


async def test_who_joins_without_an_account_waits_as_a_guest_until_lots_are_drawn(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await join(stage)
    found, html = await phase(stage, browser)
    assert (found, "lots are drawn at" in html) == ("equal", True)
    assert '<noscript><meta http-equiv="refresh"' in html
    stage.neighbours.waitingroom.start(stage.festival, before=41)
    found, html = await phase(stage, browser)
    assert (found, ">42<" in html, ">41<" in html, "at most a minute" in html) == ("waiting", True, True, True)


async def test_an_address_goes_on_as_a_hash_that_only_web_can_make(stage: Stage) -> None:
    waitingroom = stage.neighbours.waitingroom
    for event_id in (stage.festival, stage.play):
        waitingroom.schedule(event_id)
    one, other = await join(stage), await join(stage)
    assert one is not other
    path = f"/events/{stage.play}/queue"
    await one.send(await one.open(path), path)
    by_event: dict[str, set[str]] = {}
    for (event, _), entry in waitingroom.entries.items():
        by_event.setdefault(event, set()).add(entry["address"])
    (at_festival,), (at_play,) = by_event[str(stage.festival)], by_event[str(stage.play)]
    # The same for two browsers at one address, and of no use for finding somebody in another queue.
    assert len(at_festival) == 64
    assert at_festival != at_play


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"state": "paused"}, "paused", "The queue is paused"),
        ({"places_left": 0, "places_in_carts": 7}, "in_carts", "All places are in carts, some may come back"),
        ({"places_left": 0, "places_in_carts": 0}, "sold_out", "Sold out"),
        ({"state": "ended"}, "over", "This waiting room is closed"),
    ],
)
async def test_who_waits_is_told_why_it_does_not_go_on(
    stage: Stage, changes: dict[str, Any], expected: str, words: str
) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await join(stage)
    stage.neighbours.waitingroom.start(stage.festival, before=3, **changes)
    found, html = await phase(stage, browser)
    assert (found, words in html) == (expected, True)


async def test_who_is_let_in_chooses_until_their_time_is_over_and_buys_with_their_pass(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await let_in(stage)
    page = await browser.open(f"/events/{stage.festival}")
    assert "It is your turn until" in page.html
    cookie = next(one for one in browser.http.cookies.jar if one.name == "admission")
    assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == (f"/events/{stage.festival}", True)
    ordered = await browser.send(page, f"/events/{stage.festival}/orders", **a_place(stage))
    assert ordered.status_code == 303, ordered.text
    # The pass is used: the page shows the way to the next turn.
    again = await browser.open(f"/events/{stage.festival}")
    assert f"/events/{stage.festival}/orders" not in again.forms


async def test_a_pass_that_is_over_or_of_another_event_is_none(stage: Stage) -> None:
    waitingroom = stage.neighbours.waitingroom
    waitingroom.schedule(stage.festival)
    browser = await let_in(stage)
    waitingroom.schedule(stage.play)
    value = next(one.value for one in browser.http.cookies.jar if one.name == "admission")
    other = await stage.browser()
    other.http.cookies.set("admission", value or "", path=f"/events/{stage.play}")
    assert f"/events/{stage.play}/orders" not in (await other.open(f"/events/{stage.play}")).forms
    waitingroom.set_all(stage.festival, "turn", seconds=-1)
    assert (await come_in(stage, browser)).status_code == 303
    assert f"/events/{stage.festival}/orders" not in (await browser.open(f"/events/{stage.festival}")).forms


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(403, "pass_needed", "sold by way of its waiting room"), (409, "pass_used", "held places with this turn already")],
)
async def test_a_pass_that_is_refused_leads_back_to_the_queue(stage: Stage, status: int, code: str, words: str) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await let_in(stage)
    stage.neighbours.refuse["POST orders/orders"] = problem(status, code)
    page = await browser.open(f"/events/{stage.festival}")
    refused = await browser.send(page, f"/events/{stage.festival}/orders", **a_place(stage))
    assert (refused.status_code, words in refused.text) == (status, True)
    assert f"/events/{stage.festival}/queue" in PageRead(refused.text).links
    assert "admission" not in browser.http.cookies


async def test_who_misses_their_turn_joins_again_at_the_end(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await join(stage)
    stage.neighbours.waitingroom.start(stage.festival)
    page = await browser.open(f"/events/{stage.festival}/queue")
    stage.neighbours.waitingroom.set_all(stage.festival, "turn")
    turn = await browser.open(f"/events/{stage.festival}/queue")
    assert (page.main["data-phase"], turn.main["data-phase"]) == ("waiting", "turn")
    stage.neighbours.waitingroom.set_all(stage.festival, "missed")
    late = await browser.send(turn, f"/events/{stage.festival}/queue/pass")
    assert (late.status_code, "Your turn is over" in late.text) == (410, True)
    assert (await phase(stage, browser))[0] == "missed"
    await join(stage, browser)
    assert (await phase(stage, browser))[0] == "numbered_soon"


async def test_as_many_as_an_address_may_bring_are_told_what_to_do(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    for _ in range(20):
        await join(stage)
    browser, path = await stage.browser(), f"/events/{stage.festival}/queue"
    refused = await browser.send(await browser.open(path), path)
    assert (refused.status_code, "Very many people wait from your network" in refused.text) == (429, True)
    assert refused.headers["retry-after"] == "60"


async def test_before_the_doors_open_there_is_nothing_to_join(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival, "announced")
    browser, path = await stage.browser(), f"/events/{stage.festival}/queue"
    page = await browser.open(path)
    assert (page.main["data-phase"], path in page.forms) == ("closed", False)


async def test_a_form_that_is_not_ours_joins_nobody_and_lets_nobody_in(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await stage.browser()
    # Also where there is no waiting room.
    for event_id in (stage.festival, stage.play):
        for path in (f"/events/{event_id}/queue", f"/events/{event_id}/queue/pass"):
            assert (await browser.http.post(path, data={})).status_code == 403
    assert stage.neighbours.waitingroom.entries == {}


async def test_while_the_waiting_room_is_away_who_waits_is_told_that_their_place_is_kept(stage: Stage) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    browser = await join(stage)
    stage.neighbours.down.add("waitingroom")
    found, html = await phase(stage, browser, 503)
    assert (found, "keeps their place" in html, 'http-equiv="refresh"' in html) == ("unseen", True, True)
    # The page's script follows the queue from here as well.
    path = f"/events/{stage.festival}/queue"
    main = (await browser.open(path, 503)).main
    assert (main["data-live"], main["data-ask"]) == (f"/live{path}", f"{path}/serving")
    # And events without one are sold.
    assert f"/events/{stage.play}/orders" in (await browser.open(f"/events/{stage.play}")).forms


async def test_now_serving_is_one_number_for_all_that_proxies_may_keep(stage: Stage, harness: Harness) -> None:
    stage.neighbours.waitingroom.schedule(stage.festival)
    stage.neighbours.waitingroom.start(stage.festival, before=50, serving=7)
    browser, path = await stage.browser(), f"/events/{stage.festival}/queue/serving"
    answers = [await browser.http.get(path) for _ in range(5)]
    assert {answer.json()["serving"] for answer in answers} == {7}
    assert answers[0].headers["cache-control"] == "public, max-age=1"
    assert "set-cookie" not in answers[0].headers
    asked = stage.neighbours.count("waitingroom", f"/sales/{stage.festival}")
    assert asked <= 2
    # What the bus says is known at once, and a late message takes nothing back.
    for serving in (9, 8):
        said = {"event_id": str(stage.festival), "serving": serving}
        await stage.say_on_bus(f"bus.waitingroom.queue_moved.{stage.festival}", said)

    async def moved() -> bool:
        return bool((await browser.http.get(path)).json()["serving"] == 9)

    await harness.eventually(moved)


async def test_who_waits_hears_over_a_socket_that_the_queue_moves_and_how_the_sale_stands(stage: Stage) -> None:
    room, event_id = stage.neighbours.waitingroom, stage.festival
    room.schedule(event_id)
    room.start(event_id, before=1234, serving=7)
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}/queue") as heard:
        kind, first = await heard.get()
        # Who asks instead is told the same.
        asked = (await (await stage.browser()).http.get(f"/events/{event_id}/queue/serving")).json()
        assert (kind, first) == ("snapshot", asked)
        assert (first["serving"], first["state"], first["waiting"]) == (7, "selling", 1200)
        await stage.say_on_bus(f"bus.waitingroom.queue_moved.{event_id}", {"event_id": str(event_id), "serving": 60})
        kind, moved = await asyncio.wait_for(heard.get(), 20)
        assert (kind, moved["serving"]) == ("change", 60)
        # What the bus does not say is looked for.
        room.sales[str(event_id)]["state"] = "paused"
        while (await asyncio.wait_for(heard.get(), 20))[1]["state"] != "paused":
            pass


async def test_an_event_without_a_waiting_room_has_no_socket_of_one(stage: Stage) -> None:
    with pytest.raises(InvalidStatus, match="404"):
        async with stage.socket(await stage.browser(), f"/live/events/{stage.play}/queue"):
            pass


async def test_only_the_end_of_ones_own_turn_is_counted_down(stage: Stage) -> None:
    """Doors and draw come for all at once: pages hear of them, and spread out before they ask."""
    stage.neighbours.waitingroom.schedule(stage.festival, starts_in=30)
    browser = await join(stage)
    assert "data-seconds-left" not in (await phase(stage, browser))[1]
    stage.neighbours.waitingroom.start(stage.festival)
    stage.neighbours.waitingroom.set_all(stage.festival, "turn")
    assert "data-seconds-left" in (await phase(stage, browser))[1]


async def test_an_event_that_nobody_knows_has_no_waiting_room_page(stage: Stage) -> None:
    await (await stage.browser()).open(f"/events/{uuid4()}/queue", 404)
