"""Sessions, cookies and forms: who may do what in whose name."""

import asyncio

import asyncpg
import httpx
import pytest

from services.web.app import create_app
from services.web.tests.integration.conftest import Browser, Stage

PERSON = {"email": "zoe@example.org", "password": "four odd words together", "name": "Zoë Groß"}


async def sign_up(browser: Browser) -> httpx.Response:
    return await browser.send(await browser.open("/sign-up"), "/sign-up", **PERSON)


async def sessions_of(stage: Stage) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(stage.settings.database_url.get_secret_value())
    try:
        return list(await connection.fetch("SELECT * FROM session"))
    finally:
        await connection.close()


async def test_somebody_signs_up_out_and_in(stage: Stage) -> None:
    browser = await stage.browser()
    assert (await sign_up(browser)).headers["location"] == "/my/tickets"
    mine = await browser.open("/my/tickets")
    assert "Sign out" in mine.html

    assert (await browser.send(mine, "/sign-out")).headers["location"] == "/"
    assert "Sign out" not in (await browser.open("/")).html
    assert await sessions_of(stage) == []

    page = await browser.open("/sign-in?next=/my/orders")
    wrong = await browser.send(page, "/sign-in", email=PERSON["email"], password="nonsense")
    assert wrong.status_code == 401
    assert "That did not fit." in wrong.text
    right = await browser.send(page, "/sign-in", email=PERSON["email"], password=PERSON["password"])
    assert right.headers["location"] == "/my/orders"


async def test_what_accounts_does_not_like_is_said_beside_the_field(stage: Stage) -> None:
    await sign_up(await stage.browser())
    browser = await stage.browser()
    page = await browser.open("/sign-up")

    taken = await browser.send(page, "/sign-up", **PERSON)
    weak = await browser.send(page, "/sign-up", **(PERSON | {"email": "other@example.org", "password": "short"}))

    assert (taken.status_code, weak.status_code) == (409, 422)
    assert "There is an account with this address." in taken.text
    assert "Use at least 10 characters." in weak.text


async def test_the_session_is_a_new_one_after_signing_in(stage: Stage) -> None:
    browser = await stage.browser()
    await browser.place(stage.play, "0-0-0")
    before = browser.http.cookies["session"]

    response = await sign_up(browser)

    after = browser.http.cookies["session"]
    assert before != after
    assert len(await sessions_of(stage)) == 1
    cookie = next(value for name, value in response.headers.multi_items() if value.startswith("session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    thief = await stage.browser()
    thief.http.cookies.set("session", before)
    assert "Sign out" not in (await thief.open("/")).html


async def test_a_copy_of_the_database_opens_no_session(stage: Stage) -> None:
    browser = await stage.browser()
    await sign_up(browser)

    [row] = await sessions_of(stage)

    stored = repr(dict(row)).encode()
    person = next(iter(stage.neighbours.people.values()))
    assert browser.http.cookies["session"].encode() not in stored
    assert person["refresh_token"].encode() not in stored
    assert b"token-" not in stored


async def test_a_token_that_is_about_to_end_is_renewed_once_whoever_asks(stage: Stage) -> None:
    stage.neighbours.token_lives_seconds = 1
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    placed = await browser.send(page, f"/events/{stage.play}/orders", seat="0-0-0")
    path = placed.headers["location"]
    stage.neighbours.token_lives_seconds = 900

    answers = await asyncio.gather(*(browser.http.get(path) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    # Once while the order was placed (the token was short then, too), once by all five together.
    assert stage.neighbours.count("accounts", "/sessions/refresh") == 2


async def test_two_processes_renew_a_token_once(stage: Stage) -> None:
    stage.neighbours.token_lives_seconds = 1
    browser = await stage.browser()
    await sign_up(browser)
    stage.neighbours.token_lives_seconds = 900
    async with (
        stage.harness.serving(create_app(stage.settings)) as other_url,
        httpx.AsyncClient(base_url=other_url, cookies=browser.http.cookies, timeout=20) as other,
    ):
        await stage.harness.eventually(lambda: _is_ready(other))

        answers = await asyncio.gather(browser.http.get("/my/orders"), other.get("/my/orders"))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert stage.neighbours.count("accounts", "/sessions/refresh") == 1


async def _is_ready(http: httpx.AsyncClient) -> bool:
    return (await http.get("/readyz")).status_code == httpx.codes.OK


async def test_a_session_that_accounts_has_ended_is_said_and_forgotten(stage: Stage) -> None:
    stage.neighbours.token_lives_seconds = 1
    browser = await stage.browser()
    await sign_up(browser)
    for person in stage.neighbours.people.values():
        person["refresh_token"] = "ended"

    page = await browser.open("/my/orders", 401)

    assert page.main["data-problem"] == "session_ended"
    assert await sessions_of(stage) == []


async def test_a_guest_whose_session_ended_buys_as_a_new_guest(stage: Stage) -> None:
    stage.neighbours.token_lives_seconds = 1
    browser = await stage.browser()
    await browser.place(stage.play, "0-0-0")
    for person in stage.neighbours.people.values():
        person["refresh_token"] = "ended"
    stage.neighbours.token_lives_seconds = 900

    path = await browser.place(stage.play, "0-0-1")

    assert (await browser.open(path)).main["data-order-state"] == "held"


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-up", "/sign-out", "/events/{play}/orders", "/orders/{order}/cancel"]
)
async def test_a_form_that_is_not_ours_does_nothing(stage: Stage, path: str) -> None:
    victim = await stage.browser()
    order = await victim.place(stage.play, "0-0-0")
    attacker = await stage.browser()
    stolen = (await attacker.open("/sign-in")).forms["/sign-in"]["form_token"]
    address = path.format(play=stage.play, order=order.removeprefix("/orders/"))
    before = len(stage.neighbours.orders)

    for token in ({}, {"form_token": stolen}, {"form_token": "x.y"}):
        response = await victim.http.post(address, data={"seat": "0-1-1", **PERSON, **token})
        assert response.status_code == 403

    assert len(stage.neighbours.orders) == before
    assert (await victim.open(order)).main["data-order-state"] == "held"


async def test_a_form_sent_from_another_site_does_nothing(stage: Stage) -> None:
    browser = await stage.browser()
    order = await browser.place(stage.play, "0-0-0")
    page = await browser.open(order)

    response = await browser.http.post(
        f"{order}/cancel", data=page.forms[f"{order}/cancel"], headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status_code == 403
    assert (await browser.open(order)).main["data-order-state"] == "held"


async def test_an_old_page_keeps_what_was_chosen(stage: Stage) -> None:
    browser = await stage.browser()
    response = await browser.http.post(
        f"/events/{stage.play}/orders", data={"seat": "0-0-3", "form_token": "old.token"}
    )

    assert response.status_code == 403
    assert 'value="0-0-3" checked' in response.text


async def test_accounts_away_stops_signing_in_and_nothing_else(stage: Stage) -> None:
    stage.neighbours.down.add("accounts")
    browser = await stage.browser()

    response = await browser.send(await browser.open("/sign-in"), "/sign-in", email="a@b.de", password="x")

    assert response.status_code == 503
    assert "We cannot sign anybody in at the moment." in response.text
    assert "Der zerbrochne Krug" in (await browser.open("/")).html
