"""Who is at the other end, and what nobody else has: tabs, planted cookies, sessions that end, bounds of guests."""

import asyncio

import httpx
import pytest

from services.web.app import create_app
from services.web.settings import WebSettings
from services.web.tests.integration.conftest import SUPPORT_KEY, Browser, Stage
from services.web.tests.integration.people.test_sessions import PERSON, sessions_of, sign_up
from services.web.tests.neighbours import problem
from services.web.tests.reading_pages import PageRead

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


async def two_tabs(stage: Stage) -> tuple[Browser, PageRead, PageRead]:
    """A new visitor opens two tabs at once: both ask without a cookie, and the browser keeps the second one's."""
    address = f"/events/{stage.play}"
    async with httpx.AsyncClient(base_url=stage.base_url, timeout=30) as fresh:
        first = await fresh.get(address)
    browser = await stage.browser()
    return browser, PageRead(first.text), await browser.open(address)


async def test_both_tabs_of_a_new_visitor_can_buy(stage: Stage) -> None:
    browser, first, second = await two_tabs(stage)
    action = f"/events/{stage.play}/orders"
    for tab, seat in ((first, "0-0-0"), (second, "0-0-1")):
        bought = await browser.http.post(action, data=tab.forms[action] | {"seat": seat}, headers=SAME_ORIGIN)
        assert bought.status_code == 303, bought.text


async def test_a_browser_that_does_not_say_where_a_form_comes_from_gets_a_true_sentence_and_the_next_press_works(
    stage: Stage,
) -> None:
    browser, first, _ = await two_tabs(stage)
    action = f"/events/{stage.play}/orders"
    refused = await browser.send(first, action, seat="0-0-0")
    assert refused.status_code == 403
    assert "another tab was opened at the same moment" in refused.text
    assert (await browser.send(PageRead(refused.text), action, seat="0-0-0")).status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_form_of_another_visitor_is_taken_from_no_page_elsewhere(stage: Stage, site: str) -> None:
    browser, first, _ = await two_tabs(stage)
    action = f"/events/{stage.play}/orders"
    sent = await browser.http.post(
        action, data=first.forms[action] | {"seat": "0-0-0"}, headers={"Sec-Fetch-Site": site}
    )
    assert sent.status_code == 403


async def test_a_form_of_another_visitor_is_not_taken_in_the_name_of_somebody_who_is_signed_in(stage: Stage) -> None:
    browser, first, _ = await two_tabs(stage)
    await sign_up(browser)
    action = f"/events/{stage.play}/orders"
    sent = await browser.http.post(action, data=first.forms[action] | {"seat": "0-0-0"}, headers=SAME_ORIGIN)
    assert sent.status_code == 403


async def test_a_visitors_cookie_that_was_planted_shares_nothing(stage: Stage) -> None:
    attacker = await stage.browser()
    await attacker.open(f"/events/{stage.play}")
    planted = attacker.http.cookies["visitor"]
    victim = await stage.browser()
    victim.http.cookies.set("visitor", planted)

    order = await victim.place(stage.play, "0-0-0")
    await attacker.place(stage.play, "0-0-1")

    assert victim.http.cookies["session"] != attacker.http.cookies["session"]
    assert len(await sessions_of(stage)) == 2
    assert planted not in [cookie.value for cookie in victim.http.cookies.jar if cookie.domain.startswith("127")]
    await attacker.open(order, 404)


async def test_pressing_twice_on_one_page_is_one_guest(stage: Stage) -> None:
    browser = await stage.browser()
    action = f"/events/{stage.play}/orders"
    page = await browser.open(f"/events/{stage.play}")
    cookies = dict(browser.http.cookies)

    async def press() -> httpx.Response:
        async with httpx.AsyncClient(base_url=stage.base_url, cookies=cookies, timeout=20) as twin:
            return await twin.post(action, data=page.forms[action] | {"seat": "0-0-0"})

    answers = await asyncio.gather(press(), press())
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert len(await sessions_of(stage)) == 1


async def test_a_live_order_ends_when_its_buyer_signs_out(stage: Stage) -> None:
    browser = await stage.browser()
    await sign_up(browser)
    path = await browser.place(stage.play, "0-0-0")
    page = await browser.open("/my/orders")
    never_silent = stage.settings.model_copy(update={"heartbeat_seconds": 0.2})
    async with (
        serving(stage, never_silent) as base_url,
        browser.http.stream("GET", f"{base_url}/live{path}", timeout=20) as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == "event: order"
        assert (await browser.send(page, "/sign-out")).status_code == 303
        # It ends by itself; what comes before is heartbeats alone.
        rest = [line async for line in lines if line.startswith("event:")]
    assert set(rest) == {"event: still-here"}


async def test_a_copy_of_supports_cookie_is_worth_nothing_after_leaving(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open("/support")
    await browser.send(page, "/support/enter", key=SUPPORT_KEY)
    copy = {"support": browser.http.cookies["support"]}
    async with httpx.AsyncClient(base_url=stage.base_url, cookies=copy) as thief:
        assert "Leave support" in (await thief.get("/support")).text
        await browser.send(await browser.open("/support"), "/support/leave")
        assert "Leave support" not in (await thief.get("/support")).text
        assert (await thief.get("/api/support/orders/AAAA-AAAA")).status_code == 401


@pytest.mark.parametrize(("seconds", "words"), [(840, "Wait 14 minutes"), (30, "Wait a minute")])
async def test_who_tried_too_often_reads_how_long(stage: Stage, seconds: int, words: str) -> None:
    stage.neighbours.refuse["POST accounts/sessions"] = problem(429, "too_many_attempts", retry_after_seconds=seconds)
    browser = await stage.browser()
    answer = await browser.send(await browser.open("/sign-in"), "/sign-in", email=PERSON["email"], password="wrong")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(seconds))
    assert words in answer.text
    assert PERSON["email"] in answer.text


async def test_one_browser_becomes_so_many_guests_and_then_reads_what_to_do(stage: Stage) -> None:
    strict = stage.settings.model_copy(update={"max_guests_per_visitor": 2})
    async with serving(stage, strict) as base_url:
        answers = [await buy_as_new_guest(base_url, stage, visitor="v" * 43) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[2].headers["retry-after"]) > 60
    assert "Pay or cancel those that are open" in answers[2].text
    assert "/my/orders" in answers[2].text


async def test_two_hundred_guests_behind_one_address_buy_at_once(stage: Stage) -> None:
    """A school, or a provider's customers: nobody of them is refused.

    On a machine that has other things to do one process that plays all of them may be too slow for a deadline (503). That is
    no refusal: whoever reads it tries again.
    """
    free = stage.neighbours.free[str(stage.festival)]
    free.update(dict.fromkeys(free, 500))
    at_once = asyncio.Semaphore(8)  # of this one process, which plays everybody

    async def buy() -> int:
        async with at_once:
            status = 503
            while status == 503:
                status = (await buy_as_new_guest(stage.base_url, stage, event=str(stage.festival))).status_code
            return status

    answers = await asyncio.gather(*(buy() for _ in range(200)))
    assert answers == [303] * 200
    assert stage.neighbours.count("accounts", "/guests") >= 200


async def test_an_address_that_is_no_crowd_is_bounded_and_others_are_not(stage: Stage) -> None:
    strict = stage.settings.model_copy(update={"max_guests_per_address_and_event": 3})
    async with serving(stage, strict) as base_url:
        many = [await buy_as_new_guest(base_url, stage, address="127.0.0.9") for _ in range(4)]
        other = await buy_as_new_guest(base_url, stage, address="127.0.0.10")
        elsewhere = await buy_as_new_guest(base_url, stage, address="127.0.0.9", event=str(stage.play))
    assert [answer.status_code for answer in many] == [303, 303, 303, 429]
    assert other.status_code == 303
    assert elsewhere.status_code != 429


async def test_who_holds_what_one_order_may_have_is_led_to_the_open_order(stage: Stage) -> None:
    browser = await stage.browser()
    path = await browser.place(stage.play, "0-0-0")
    order_id = path.removeprefix("/orders/")
    sentence = "Pay or cancel order AAAA-AAAA first."
    stage.neighbours.refuse["POST orders/orders"] = problem(409, "order_still_open", sentence, order_id=order_id)
    page = await browser.open(f"/events/{stage.play}")
    refused = await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-1")
    assert refused.status_code == 409
    assert sentence in refused.text
    assert f'href="{path}"' in refused.text
    assert 'value="0-0-1" checked' in refused.text


def serving(stage: Stage, settings: WebSettings):  # type: ignore[no-untyped-def]  # what the harness gives
    return stage.harness.serving(create_app(settings))


async def buy_as_new_guest(
    base_url: str, stage: Stage, *, visitor: str = "", address: str = "", event: str = ""
) -> httpx.Response:
    """A browser without a session orders one place of the festival (or a seat)."""
    path = f"/events/{event or stage.festival}"
    where = httpx.AsyncHTTPTransport(local_address=address or None)
    cookies = {"visitor": visitor} if visitor else {}
    async with httpx.AsyncClient(base_url=base_url, transport=where, cookies=cookies, timeout=60) as http:
        page = PageRead((await http.get(path)).text)
        class_id = stage.neighbours.events[str(stage.festival)]["classes"][0]["class_id"]
        chosen = {f"quantity-{class_id}": "1"} if path.endswith(str(stage.festival)) else {"seat": "0-0-5"}
        return await http.post(f"{path}/orders", data=page.forms[f"{path}/orders"] | chosen)
