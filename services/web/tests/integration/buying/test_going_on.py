"""Buyers who go back, need more time, or sign in on the way: their places stay theirs."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from services.web.tests.integration.conftest import Browser, Stage
from services.web.tests.neighbours import a_pass
from services.web.tests.reading_pages import PageRead

ANNA = {"email": "anna@example.org", "password": "a long pass phrase"}


async def test_who_goes_back_finds_the_own_places_and_the_way_on(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0", "0-0-1")
    back = await browser.open(f"/events/{stage.play}")
    assert "You hold places until" in back.html
    assert "Stalls, Row 1, Seat 1 and Stalls, Row 1, Seat 2" in back.html
    assert f'href="{path}"' in back.html
    assert {"0-0-0", "0-0-1"} <= back.disabled
    assert back.html.count('data-state="own"') == 2
    # Nobody else sees it.
    stranger = await (await stage.browser()).open(f"/events/{stage.play}")
    assert "You hold places" not in stranger.html
    assert "own" not in stranger.html.split("All seats as a list")[1].split("</form>")[0]


async def test_own_seats_chosen_again_are_not_somebody_elses(stage: Stage) -> None:
    browser = await stage.browser()
    before = await browser.open(f"/events/{stage.play}")
    path = await browser.place(stage.play, "0-0-0")
    # The page from before is still open in another tab.
    again = await browser.send(before, f"/events/{stage.play}/orders", seat=["0-0-0"], attempt="another page")
    assert again.status_code in {403, 409}
    if again.status_code == 403:  # the tab is from before there was a session; pressed once more it goes on
        again = await browser.send(PageRead(again.text), f"/events/{stage.play}/orders", seat=["0-0-0"])
    assert again.status_code == 409
    assert "These places are yours already." in again.text
    assert f'href="{path}"' in again.text
    assert "Somebody was quicker" not in again.text


async def test_the_page_of_an_event_does_not_need_orders(stage: Stage) -> None:
    browser = await stage.browser()
    await browser.place(stage.play, "0-0-0")
    stage.neighbours.down.add("orders")
    assert "Choose your seats" in (await browser.open(f"/events/{stage.play}")).html


async def test_one_press_gives_more_time_and_keeps_what_was_written(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    stage.neighbours.expire_in(path, minutes=1)
    held = await browser.open(path)
    assert "I need more time" in held.html
    more = await browser.http.post(f"{path}/more-time", data=held.forms[f"{path}/pay"] | {"name": "Zoë", "email": "zo"})
    assert more.status_code == 200
    assert "You have time until" in more.text
    assert 'value="Zoë"' in more.text
    assert 'value="zo"' in more.text
    seconds = int(PageRead(more.text).html.split('data-seconds-left="')[1].split('"')[0])
    assert seconds > 500


async def test_nobody_is_offered_more_time_than_there_is(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    order = stage.neighbours.orders[path.removeprefix("/orders/")]
    order["hold_longest_until"] = order["hold_expires_at"]
    assert "I need more time" not in (await browser.open(path)).html


async def test_more_time_for_what_is_over_shows_how_it_stands(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    held = await browser.open(path)
    stage.neighbours.orders[path.removeprefix("/orders/")] |= {"state": "cancelled", "reason": "expired"}
    late = await browser.http.post(f"{path}/more-time", data=held.forms[f"{path}/pay"])
    assert (late.status_code, late.headers["location"]) == (303, path)


async def test_signing_in_takes_the_open_order_along_and_comes_back_to_it(stage: Stage) -> None:
    await _sign_up(await stage.browser())
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    held = await browser.open(path)
    (link,) = [href for href in held.links if href.startswith("/sign-in")]
    assert parse_qs(urlsplit(link).query)["next"] == [path]
    signed_in = await _send(browser, link, "/sign-in", **ANNA)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, path)
    again = await browser.open(path)
    assert (again.main["data-order-state"], again.main["data-order-id"]) == ("held", path.removeprefix("/orders/"))
    assert path in (await browser.open("/my/orders")).html


async def test_signing_up_takes_the_open_order_along_too(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    await _sign_up(browser)
    assert (await browser.open(path)).main["data-order-state"] == "held"


async def test_if_the_order_cannot_go_along_nobody_is_signed_in_and_nothing_is_lost(stage: Stage) -> None:
    await _sign_up(await stage.browser())
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    stage.neighbours.down.add("orders")
    failed = await _send(browser, "/sign-in", "/sign-in", **ANNA)
    assert failed.status_code == 503
    assert "could not take your order along" in failed.text
    stage.neighbours.down.clear()
    assert (await browser.open(path)).main["data-order-state"] == "held"
    assert (await _send(browser, "/sign-in", "/sign-in", **ANNA)).status_code == 303
    assert (await browser.open(path)).main["data-order-state"] == "held"


async def test_the_link_in_a_guests_mail_opens_the_order_on_another_device_and_nothing_else(stage: Stage) -> None:
    phone, laptop = await stage.browser(), await stage.browser()
    path = await phone.place(stage.play, "0-0-0")
    order_id = path.removeprefix("/orders/")
    stage.neighbours.confirm(order_id)
    await laptop.open(path, status=404)
    opened = await laptop.http.get(
        f"{path}/open", params={"key": a_pass(order_id, stage.neighbours.owner_of[order_id])}
    )
    assert (opened.status_code, opened.headers["location"]) == (303, path)
    assert f"Path={path}" in opened.headers["set-cookie"]
    assert "HttpOnly" in opened.headers["set-cookie"]
    seen = await laptop.open(path)
    assert len(seen.ticket_codes) == 1
    assert (await laptop.http.get(f"{path}/tickets.pdf?format=phone")).status_code == 200
    assert (await laptop.http.get("/my/orders")).text.count(order_id) == 0
    assert (await laptop.http.post(f"{path}/cancel")).status_code == 404
    # Who bought it sees it as before, also after having pressed the link.
    await phone.http.get(f"{path}/open", params={"key": a_pass(order_id, "somebody-else")})
    assert (await phone.open(path)).ticket_codes == seen.ticket_codes


async def test_a_link_that_is_over_or_was_made_up_opens_nothing(stage: Stage) -> None:
    path = await (await stage.browser()).place(stage.play, "0-0-0")
    for key in ("made.up.key", "no key at all", "x" * 1_900, "\ufffd", "a\r\nb", ""):
        stranger = await stage.browser()
        assert (await stranger.http.get(f"{path}/open", params={"key": key})).status_code == 303
        page = await stranger.open(path, status=404)
        assert "We do not find this order here" in page.html


async def test_a_broken_link_does_not_take_the_place_of_a_good_one(stage: Stage) -> None:
    path = await (await stage.browser()).place(stage.play, "0-0-0")
    order_id = path.removeprefix("/orders/")
    laptop = await stage.browser()
    await laptop.http.get(f"{path}/open", params={"key": a_pass(order_id, stage.neighbours.owner_of[order_id])})
    for key in (a_pass(order_id, "somebody-else"), "made.up.key", "日本"):
        assert (await laptop.http.get(f"{path}/open", params={"key": key})).status_code == 303
    await laptop.open(path)


async def test_without_a_token_a_form_is_refused_and_nothing_falls_over(stage: Stage) -> None:
    stranger = await stage.browser()
    for token in ("", "no-dot", "a.b.c", "~", "."):
        sent = {"form_token": token, "email": "a@example.org", "password": "x"}
        refused = await stranger.http.post("/sign-in", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
        assert refused.status_code == 403, token
    assert (await stranger.http.get("/sign-in?next=//[")).status_code == 200


async def test_a_hundred_places_are_too_many_before_anybody_is_asked(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.festival}")
    action = f"/events/{stage.festival}/orders"
    quantity = next(name for name in page.forms[action] if name.startswith("quantity-"))
    refused = await browser.send(page, action, **{quantity: "100"})
    assert refused.status_code == 422
    assert "At most 8 places an order." in refused.text
    assert UUID(quantity.removeprefix("quantity-"))


async def test_what_accounts_says_of_a_name_stands_at_the_name(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    held = await browser.open(path)
    long = await browser.send(held, f"{path}/pay", name="N" * 201, email="zoe@example.org")
    assert 'id="name-error"' in long.text
    stage.neighbours.bad_names.add("\u2603\u0007")
    odd = await browser.send(held, f"{path}/pay", name="\u2603\u0007", email="zoe@example.org")
    assert odd.status_code == 422
    assert 'id="name-error"' in odd.text
    assert 'id="email-error"' not in odd.text


async def _sign_up(browser: Browser) -> None:
    made = await _send(browser, "/sign-up", "/sign-up", name="Anna", **ANNA)
    assert made.status_code == 303, made.text


async def _send(browser: Browser, path: str, action: str, **fields: str) -> httpx.Response:
    return await browser.send(await browser.open(path), action, **fields)
