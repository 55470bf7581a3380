"""Events that are cancelled or moved, and sales that have not begun: on the pages of a buyer."""

from typing import Any

from services.web.tests.integration.conftest import Stage
from services.web.tests.neighbours import later, problem, sample_class, sample_event, sample_seat_map


async def test_a_search_of_more_letters_than_are_read_is_answered_with_a_sentence(stage: Stage) -> None:
    browser = await stage.browser()
    response = await browser.http.get("/", params={"q": "x" * 101})
    assert response.status_code == 422
    assert "A search has at most 100 letters." in response.text
    assert "Der zerbrochne Krug" in response.text
    assert (await browser.http.get("/", params={"q": "x" * 5_000})).status_code == 422
    assert (await browser.http.get("/", params={"q": "x" * 100})).status_code == 200


async def test_the_seats_of_a_class_that_is_not_sold_yet_cannot_be_chosen(stage: Stage) -> None:
    seat_map = sample_seat_map()
    standard = sample_class("Standard", "seated", 2000)
    premium = sample_class("Premium", "seated", 3000) | {"sale_begins_at": later(days=3)}
    event_id = stage.neighbours.add_event(sample_event("Seats", [standard, premium], seat_map), seat_map)
    page = await (await stage.browser()).open(f"/events/{event_id}")
    assert 'value="0-0-0" disabled' in page.html
    assert 'value="0-1-0" disabled' not in page.html
    assert page.html.count("From ") >= 1


async def test_a_refusal_because_the_sale_has_not_begun_says_from_when(stage: Stage) -> None:
    begins = "2031-11-10T09:00:00Z"
    stage.neighbours.refuse["POST orders/orders"] = problem(409, "not_on_sale", "Not now.", begins_at=begins)
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    answer = await browser.send(page, f"/events/{stage.play}/orders", seat=["0-0-0"])
    assert answer.status_code == 409
    assert "The sale begins on Mon 10 Nov 2031, 10:00 CET." in answer.text


async def test_a_refusal_because_the_event_is_cancelled_is_a_sentence_and_the_page_is_asked_anew(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    cancelled = {"state": "cancelled", "obstacle": "cancelled", "on_sale": False}
    stage.neighbours.events[str(stage.play)] |= cancelled
    stage.neighbours.refuse["POST orders/orders"] = problem(409, "event_cancelled", "It is cancelled.")
    answer = await browser.send(page, f"/events/{stage.play}/orders", seat=["0-0-0"])
    assert answer.status_code == 409
    assert "This event is cancelled." in answer.text

    async def is_known() -> bool:
        return 'id="buy"' not in (await browser.open(f"/events/{stage.play}")).html

    await stage.harness.eventually(is_known)


async def test_orders_and_tickets_of_a_moved_event_tell_its_new_date(stage: Stage) -> None:
    browser = await stage.browser()
    order = await browser.place(stage.play, "0-0-0")
    order_id = order.rsplit("/", 1)[1]
    stage.neighbours.confirm(order_id)
    moved = {"state": "rescheduled", "previous_starts_at": "2031-12-05T18:30:00Z"}
    stage.neighbours.events[str(stage.play)] |= moved
    await stage.harness.tell("events.catalog.event_changed.v1", {"event_id": str(stage.play)})

    async def has_arrived() -> bool:
        return "New date (was Fri 5 Dec 2031, 19:30)" in (await browser.open("/my/tickets")).html

    await stage.harness.eventually(has_arrived)
    known: dict[str, Any] = stage.neighbours.orders[order_id]
    known |= {
        "event_state": "rescheduled",
        "event_starts_at": "2032-03-05T18:00:00Z",
        "event_previous_starts_at": "2031-12-05T18:30:00Z",
    }
    for path in (order, "/my/orders"):
        html = (await browser.open(path)).html
        assert "Fri 5 Mar 2032, 19:00" in html, path
        assert "New date (was Fri 5 Dec 2031, 19:30)" in html, path
    assert "The event has a new date." in (await browser.open(order)).html


async def test_the_order_of_a_cancelled_event_says_so(stage: Stage) -> None:
    browser = await stage.browser()
    order = await browser.place(stage.play, "0-0-0")
    stage.neighbours.orders[order.rsplit("/", 1)[1]] |= {"event_state": "cancelled"}
    html = (await browser.open(order)).html
    assert "The event is cancelled." in html
    assert ">Cancelled</" in (await browser.open("/my/orders")).html
