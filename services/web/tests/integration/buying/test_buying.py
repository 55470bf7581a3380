"""A buyer's way through the pages, and every way in which it can be refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.web.buying import turns
from services.web.tests.integration.conftest import Browser, Stage
from services.web.tests.neighbours import problem
from services.web.tests.reading_pages import PageRead

ISSUED = "events.tickets.tickets_issued.v1"
CONTACT = {"name": "Zoë Groß", "email": "zoe@example.org"}


async def test_a_guest_buys_seats_from_the_first_page_to_the_ticket(stage: Stage) -> None:
    browser = await stage.browser()
    listed = await browser.open("/")
    assert "Der zerbrochne Krug" in listed.html
    path = await browser.place(stage.play, "0-0-0", "0-1-1")

    held = await browser.open(path)
    assert held.main["data-order-state"] == "held"
    assert held.main["data-order-number"] == "K7Q2-9MXA"
    assert "€74.00" in held.html

    paid = await browser.send(held, f"{path}/pay", **CONTACT)
    assert (paid.status_code, paid.headers["location"]) == (303, stage.neighbours.bank)
    assert stage.neighbours.return_url == f"http://shop.example{path}/return"

    returned = await browser.http.get(f"{path}/return")
    assert (returned.status_code, returned.headers["location"]) == (303, f"{path}?returned=1")
    confirming = await browser.open(f"{path}?returned=1")
    assert confirming.main["data-phase"] == "confirming"
    assert "http-equiv" in confirming.html

    stage.neighbours.confirm(path.removeprefix("/orders/"))
    # Who comes back to an order that is confirmed sees it at once, and it is not asked for twice.
    read = stage.neighbours.count("orders", path)
    at_once = await browser.open(f"{path}/return")
    assert (at_once.main["data-order-state"], len(at_once.ticket_codes)) == ("confirmed", 2)
    assert stage.neighbours.count("orders", path) == read
    confirmed = await browser.open(path)
    assert confirmed.main["data-order-state"] == "confirmed"
    assert len(confirmed.ticket_codes) == 2
    assert "http-equiv" not in confirmed.html

    for pdf_format in ("a4", "phone"):
        pdf = await browser.http.get(f"{path}/tickets.pdf?format={pdf_format}")
        assert pdf.headers["content-type"] == "application/pdf"
        assert pdf.content.endswith(pdf_format.encode())
    assert (await browser.open("/my/tickets")).ticket_codes == confirmed.ticket_codes
    assert "K7Q2-9MXA" in (await browser.open("/my/orders")).html


async def test_the_way_to_an_order_asks_for_no_order_once_and_anything_later_does(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    placed = await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-0")
    path = placed.headers["location"]
    assert (await browser.open(path)).main["data-order-state"] == "held"
    assert stage.neighbours.count("orders", path) == 0
    assert (await browser.open(path)).main["data-order-state"] == "held"
    assert stage.neighbours.count("orders", path) == 1


async def test_an_order_that_was_just_placed_is_nobody_elses(stage: Stage) -> None:
    browser, other = await stage.browser(), await stage.browser()
    await other.place(stage.play, "0-1-1")
    page = await browser.open(f"/events/{stage.play}")
    path = (await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-0")).headers["location"]
    assert (await other.http.get(path)).status_code == 404


async def test_in_a_rush_who_cannot_be_served_soon_keeps_their_choice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    with monkeypatch.context() as rush:
        rush.setattr(turns, "MOST_WAITING", -turns.MOST_AT_ONCE)
        refused = await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-0")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
    read = PageRead(refused.text)
    assert "Very many people order at this moment." in read.html
    assert not stage.neighbours.orders
    again = await browser.send(read, f"/events/{stage.play}/orders", seat="0-0-0")
    assert again.status_code == 303


async def test_who_wants_any_good_seats_says_how_many(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    assert "Let us choose: seats beside each other" in page.html
    stalls = next(one for one in stage.neighbours.events[str(stage.play)]["classes"] if one["kind"] == "seated")
    quantity = {f"quantity-{stalls['class_id']}": "3"}
    placed = await browser.send(page, f"/events/{stage.play}/orders", **quantity)
    assert placed.status_code == 303
    (order,) = stage.neighbours.orders.values()
    assert [(line["class_id"], line["quantity"]) for line in order["lines"]] == [(stalls["class_id"], 3)]
    assert "Let us choose" not in (await browser.open(f"/events/{stage.festival}")).html


async def test_a_guest_buys_places_without_a_number(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.festival}")
    quantity = next(name for name in page.forms[f"/events/{stage.festival}/orders"] if name.startswith("quantity-"))

    response = await browser.send(page, f"/events/{stage.festival}/orders", **{quantity: "3"})

    order = await browser.open(response.headers["location"])
    assert "3 \u00d7 Day" in order.html
    assert "€207.00" in order.html


async def test_taken_seats_are_named_and_the_others_stay_chosen(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    stage.neighbours.taken[str(stage.play)]["0-0-1"] = "held"

    response = await browser.send(page, f"/events/{stage.play}/orders", seat=["0-0-0", "0-0-1", "0-0-2"])

    again = PageRead(response.text)
    assert response.status_code == 409
    assert "Stalls, Row 1, Seat 2 was taken" in again.html
    assert again.checked == {"0-0-0", "0-0-2"}
    assert "0-0-1" in again.disabled
    retried = await browser.send(again, f"/events/{stage.play}/orders", seat=["0-0-0", "0-0-2"])
    assert retried.status_code == 303


async def test_sold_out_says_how_many_are_left(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.festival}")
    quantity = next(name for name in page.forms[f"/events/{stage.festival}/orders"] if name.startswith("quantity-"))
    class_id = quantity.removeprefix("quantity-")
    stage.neighbours.free[str(stage.festival)][class_id] = 2

    few = await browser.send(page, f"/events/{stage.festival}/orders", **{quantity: "3"})
    stage.neighbours.free[str(stage.festival)][class_id] = 0
    again = PageRead(few.text)
    none = await browser.send(again, f"/events/{stage.festival}/orders", **{quantity: "3"})

    assert (few.status_code, none.status_code) == (409, 409)
    assert "Day: only 2 places are left." in few.text
    assert "Day: sold out." in none.text


async def test_nothing_chosen_is_said_and_nobody_is_asked(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")

    response = await browser.send(page, f"/events/{stage.play}/orders")

    assert response.status_code == 422
    assert "Nothing is chosen yet." in response.text
    assert stage.neighbours.count("orders", "/orders") == 0
    assert stage.neighbours.count("accounts", "/guests") == 0


async def test_pressing_twice_is_one_order_and_one_guest(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    action = f"/events/{stage.play}/orders"
    body = page.forms[action] | {"seat": "0-0-0"}
    cookies = dict(browser.http.cookies)

    # A second press leaves before the first answer has brought a session cookie.
    first = await browser.http.post(action, data=body)
    second_browser = await stage.browser()
    second_browser.http.cookies.update(cookies)
    second = await second_browser.http.post(action, data=body)

    assert first.headers["location"] == second.headers["location"]
    assert stage.neighbours.count("accounts", "/guests") == 1


async def test_an_order_without_an_answer_is_asked_again_with_the_same_key(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    action = f"/events/{stage.play}/orders"
    stage.neighbours.down.add("orders")

    unanswered = await browser.send(page, action, seat="0-0-0")

    again = PageRead(unanswered.text)
    assert unanswered.status_code == 503
    assert "We could not hold your places just now." in again.html
    assert again.checked == {"0-0-0"}
    assert again.forms[action]["attempt"] == page.forms[action]["attempt"]
    stage.neighbours.down.clear()
    assert (await browser.send(again, action, seat="0-0-0")).status_code == 303


async def test_a_declined_card_is_said_and_can_be_tried_again(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    stage.neighbours.orders[path.removeprefix("/orders/")] |= {"state": "paying", "last_decline": "insufficient_funds"}

    page = await browser.open(f"{path}?returned=1")

    assert page.main["data-phase"] == "declined"
    assert "Nothing was charged" in page.html
    assert (await browser.send(page, f"{path}/pay", **CONTACT)).status_code == 303


async def test_a_contact_is_asked_for_and_kept(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open(path)

    wrong = await browser.send(page, f"{path}/pay", name="", email="zoe@")
    unliked = await browser.send(page, f"{path}/pay", name="Zoë", email="zoe@nowhere.invalid")

    assert (wrong.status_code, unliked.status_code) == (422, 422)
    assert "Write your name" in wrong.text
    assert 'value="zoe@"' in wrong.text
    assert "does not look right" in unliked.text
    await browser.send(page, f"{path}/pay", **CONTACT)
    stage.neighbours.orders[path.removeprefix("/orders/")]["state"] = "held"
    assert "zoe@example.org" in (await browser.open(path)).html


async def test_who_comes_back_waits_a_moment_for_tickets_that_are_being_made(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    order_id = path.removeprefix("/orders/")
    stage.neighbours.orders[order_id]["state"] = "confirmed"

    nothing_heard = await browser.open(f"{path}/return")
    coming = asyncio.create_task(browser.open(f"{path}/return"))
    asked = stage.neighbours.count("orders", f"{path}/refresh")
    await stage.harness.eventually(lambda: stage.neighbours.count("orders", f"{path}/refresh") > asked)
    stage.neighbours.confirm(order_id)
    await stage.harness.tell(ISSUED, {"order_id": order_id}, aggregate_id=order_id)
    heard = await coming

    assert (nothing_heard.main["data-phase"], heard.main["data-phase"]) == ("issuing", "confirmed")
    assert stage.neighbours.count("tickets", f"{path}/tickets") == 2


async def test_accounts_is_asked_for_the_contact_of_a_guest_only_once_there_is_one(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open(path)
    assert stage.neighbours.count("accounts", "/people/me") == 0

    await browser.send(page, f"{path}/pay", **CONTACT)

    assert stage.neighbours.count("accounts", "/people/me") == 1
    stage.neighbours.orders[path.removeprefix("/orders/")]["state"] = "held"
    assert "zoe@example.org" in (await browser.open(path)).html
    assert stage.neighbours.count("accounts", "/people/me") == 2


async def test_mails_and_tickets_are_written_for_whoever_pays(stage: Stage) -> None:
    browser = await stage.browser()
    [path] = [await browser.place(stage.play, "0-0-0")]
    for language, known in (("de-CH", "de_CH"), ("fr", "fr"), ("tlh", "en")):
        browser.http.headers["accept-language"] = language
        stage.neighbours.orders[path.removeprefix("/orders/")]["state"] = "held"
        await browser.send(await browser.open(path), f"{path}/pay", **CONTACT)
        [person] = stage.neighbours.people.values()
        assert person["language"] == known


async def test_a_hold_that_is_over_is_said_at_the_cash_desk(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open(path)
    stage.neighbours.refuse[f"POST orders{path}/checkout"] = problem(410, "hold_expired")

    response = await browser.send(page, f"{path}/pay", **CONTACT)

    assert response.status_code == 410
    assert "The time to pay is over." in response.text


async def test_a_bank_that_is_away_costs_nothing_but_time(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open(path)
    stage.neighbours.refuse[f"POST orders{path}/checkout"] = problem(503, "payments_unavailable")

    response = await browser.send(page, f"{path}/pay", **CONTACT)

    assert response.status_code == 503
    assert "your places are still held" in response.text
    assert "zoe@example.org" in response.text


async def test_an_order_is_cancelled_once(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open(path)

    assert (await browser.send(page, f"{path}/cancel")).status_code == 303
    assert "You cancelled it." in (await browser.open(path)).html
    again = await browser.send(page, f"{path}/cancel")
    assert again.status_code == 409
    assert "cannot be cancelled any more" in again.text


async def test_an_order_is_its_buyers_alone(stage: Stage) -> None:
    path = await (await stage.browser()).place(stage.play, "0-0-0")
    stage.neighbours.confirm(path.removeprefix("/orders/"))
    other = await stage.browser()
    await other.place(stage.play, "0-0-1")
    stranger = await stage.browser()

    for browser in (other, stranger):
        for address in (path, f"{path}/tickets.pdf", f"/api{path}", f"/live{path}"):
            assert (await browser.http.get(address)).status_code == 404, address


async def test_programs_read_an_order_as_json(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    assert (await browser.http.get(f"/api{path}")).json()["state"] == "held"
    stage.neighbours.confirm(path.removeprefix("/orders/"))

    answer = (await browser.http.get(f"/api{path}")).json()

    assert answer["state"] == "confirmed"
    assert [ticket["seat_label"] for ticket in answer["tickets"]] == ["Stalls, Row 1, Seat 1"]


async def test_tickets_that_cannot_be_asked_for_are_said_to_be_safe(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    stage.neighbours.confirm(path.removeprefix("/orders/"))
    stage.neighbours.down.add("tickets")

    page = await browser.open(path)

    assert page.main["data-order-state"] == "confirmed"
    # One true sentence, and none that says that the tickets are still being made.
    assert page.main["data-phase"] == "unshown"
    assert "Confirmed. Your tickets cannot be shown right now" in page.html
    assert "being made" not in page.html
    assert "Signing your tickets" not in page.html
    assert "We cannot show your tickets at the moment." in (await browser.open("/my/tickets", 503)).html


async def test_the_countdown_begins_with_what_the_server_says_is_left(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    expires = datetime.now(UTC) + timedelta(seconds=90)
    stage.neighbours.orders[path.removeprefix("/orders/")]["hold_expires_at"] = expires.isoformat()

    html = (await browser.open(path)).html

    assert any(f'data-seconds-left="{seconds}"' in html for seconds in (87, 88, 89, 90))


async def test_an_event_that_is_not_on_sale_offers_nothing(stage: Stage) -> None:
    stage.neighbours.events[str(stage.play)]["on_sale"] = False
    browser: Browser = await stage.browser()

    page = await browser.open(f"/events/{stage.play}")

    assert "Tickets are not on sale at the moment." in page.html
    assert f"/events/{stage.play}/orders" not in page.forms


async def test_an_event_nobody_knows_is_a_page_that_says_so(stage: Stage) -> None:
    browser = await stage.browser()

    page = await browser.open(f"/events/{UUID(int=7)}", 404)

    assert page.main["data-problem"] == "event_unknown"


async def test_an_event_that_was_published_a_moment_ago_has_its_page_and_can_be_bought_a_moment_later(
    stage: Stage,
) -> None:
    browser = await stage.browser()
    for what in ("availability", "seats"):
        stage.neighbours.refuse[f"GET inventory/events/{stage.play}/{what}"] = problem(404, "event_unknown")
    stage.neighbours.refuse["POST orders/orders"] = problem(404, "event_unknown")
    page = await browser.open(f"/events/{stage.play}")
    assert "We cannot see at the moment how many places are left." in page.html
    early = await browser.send(page, f"/events/{stage.play}/orders", seat=["0-0-0"])
    assert early.status_code == 503
    assert "This sale is being opened at this moment." in early.text
    assert PageRead(early.text).checked == {"0-0-0"}
    stage.neighbours.refuse.clear()
    later = await browser.send(PageRead(early.text), f"/events/{stage.play}/orders", seat=["0-0-0"])
    assert later.status_code == 303
