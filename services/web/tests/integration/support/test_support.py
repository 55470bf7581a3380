"""Support: who is let in, what a story says, and what it says of what cannot be found out."""

import logging
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.web.app import create_app
from services.web.clients.records import Facts
from services.web.support import access
from services.web.tests.integration.conftest import SUPPORT_KEY, Browser, Stage

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
STORY = "/api/support/orders/G3D3-BGVZ"
PAGE = "/support/orders/G3D3-BGVZ"


def head(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "order_id": str(uuid4()),
        "number": "G3D3-BGVZ",
        "state": "confirmed",
        "reason": None,
        "event_title": "Der zerbrochne Krug",
        "event_starts_at": "2031-06-21T18:00:00Z",
        "event_time_zone": "Europe/Berlin",
        "venue_name": "Globe",
        "places": 2,
        "currency": "EUR",
        "total_minor": 9000,
        "created_at": "2031-01-05T12:00:00Z",
        "held_at": "2031-01-05T12:00:00.1Z",
        "confirmed_at": "2031-01-05T12:00:42Z",
        "attempts": 0,
        "trace_id": TRACE_ID,
    }
    return made | changes


def entry(what: str, at: str, **known: Any) -> dict[str, Any]:
    nothing = {name: "" if each.annotation is str else None for name, each in Facts.model_fields.items()}
    return {"at": at, "what": what, "facts": nothing | known, "trace_id": TRACE_ID, "span_id": "b7ad6b7169203331"}


@pytest.fixture
def sold(stage: Stage) -> Stage:
    """A stage on which an order was sold."""
    stage.neighbours.heads = [head()]
    stage.neighbours.records = {
        "orders": [entry("placed", "2031-01-05T12:00:00Z"), entry("captured", "2031-01-05T12:00:42Z")],
        "inventory": [
            entry("hold_granted", "2031-01-05T12:00:00.05Z", places=2, until="2031-01-05T12:10:00Z"),
        ],
        "payments": [
            entry("gateway_silent", "2031-01-05T12:00:41Z", kind="capture", attempt=1, reason="answered_500"),
        ],
    }
    return stage


async def inside(stage: Stage) -> Browser:
    """Somebody of support, with the cookie."""
    browser = await stage.browser()
    page = await browser.open("/support")
    response = await browser.send(page, "/support/enter", key=SUPPORT_KEY)
    assert response.headers["location"] == "/support"
    return browser


async def test_whoever_has_the_key_reads_an_orders_story(sold: Stage) -> None:
    browser = await inside(sold)
    looked_up = await browser.http.get("/support", params={"q": " g3d3bgvz "})
    assert looked_up.headers["location"] == PAGE
    response = await browser.http.get(PAGE)
    assert response.headers["cache-control"] == "no-store"
    for words in (
        "Inventory held 2 places until 12:10:00.",
        "The bank answered 500 when asked to take the money.",
        "41.0 s later",
        "13:00:00 CET",
        f"http://traces.example/trace/{TRACE_ID}?uiFind=b7ad6b7169203331",
    ):
        assert words in response.text, words


async def test_the_cookie_is_strict_and_ends_with_leaving(sold: Stage) -> None:
    browser = await sold.browser()
    entered = await browser.send(await browser.open("/support"), "/support/enter", key=SUPPORT_KEY)
    cookie = next(each for each in entered.headers.get_list("set-cookie") if each.startswith("support="))
    for words in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={8 * 3600}"):
        assert words in cookie
    left = await browser.send(await browser.open("/support"), "/support/leave")
    assert left.status_code == 303
    assert "Support key" in (await browser.open(PAGE)).html


async def test_without_the_key_only_the_question_for_it_is_shown(sold: Stage) -> None:
    browser = await sold.browser()
    page = await browser.open(PAGE)
    assert "Krug" not in page.html
    wrong = await browser.send(page, "/support/enter", key="another-key-that-is-as-long")
    assert (wrong.status_code, "That is not the key." in wrong.text) == (401, True)
    foreign = await browser.http.post("/support/enter", data={"key": SUPPORT_KEY, "form_token": "x.y"})
    assert foreign.status_code == 403
    right = await browser.send(page, "/support/enter", key=SUPPORT_KEY)
    assert right.headers["location"] == PAGE


@pytest.mark.parametrize("cookie", ["", "9999999999.", "9999999999.AAAA", "1.x", "x", "²²²²²²²²²².x"])
async def test_a_forged_cookie_opens_nothing(sold: Stage, cookie: str) -> None:
    headers = {b"cookie": f"support={cookie}".encode()}
    async with httpx.AsyncClient(base_url=sold.base_url, timeout=30) as http:
        assert "Support key" in (await http.get(PAGE, headers=headers)).text
        assert (await http.get(STORY, headers=headers)).json()["code"] == "support_key_wrong"


async def test_a_cookie_ends_with_its_time_and_with_its_key(sold: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "COOKIE_SECONDS", -1)
    browser = await inside(sold)
    assert "Support key" in (await browser.open(PAGE)).html
    monkeypatch.undo()
    browser = await inside(sold)
    cookies = dict(browser.http.cookies)
    other = sold.settings.model_copy(update={"support_key": sold.settings.cookie_secret})
    async with sold.harness.running(create_app, other) as app:
        assert "Support key" in (await app.http.get(PAGE, cookies=cookies)).text


async def test_programs_send_the_key_and_get_the_story(sold: Stage) -> None:
    async with httpx.AsyncClient(base_url=sold.base_url, timeout=30) as http:
        refused = await http.get(STORY)
        wrong = await http.get(STORY, headers={"Authorization": "Bearer another-key-that-is-as-long"})
        answer = await http.get(STORY, headers={"Authorization": f"Bearer {SUPPORT_KEY}"})
        unknown = await http.get("/api/support/orders/AAAA-AAAA", headers={"Authorization": f"Bearer {SUPPORT_KEY}"})
    assert (refused.status_code, wrong.status_code, answer.status_code, unknown.status_code) == (401, 401, 200, 404)
    assert unknown.json()["detail"].startswith("No order has the number AAAA-AAAA.")
    assert answer.headers["cache-control"] == "no-store"
    story = answer.json()
    assert (story["state_words"], story["total"], story["took_seconds"]) == ("Confirmed", "€90.00", 41.9)
    assert [(line["service"], line["tone"]) for line in story["lines"]] == [
        ("orders", "plain"),
        ("inventory", "plain"),
        ("payments", "bad"),
        ("orders", "good"),
    ]


async def test_many_wrong_keys_are_asked_to_wait_and_keep_nobody_out_who_has_the_right_one(
    sold: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with httpx.AsyncClient(base_url=sold.base_url, timeout=30) as http:
        for _ in range(access.MOST_WRONG):
            await http.get(STORY, headers={"Authorization": "Bearer another-key-that-is-as-long"})
        right = {"Authorization": f"Bearer {SUPPORT_KEY}"}
        wrong = {"Authorization": "Bearer another-key-that-is-as-long"}
        assert (await http.get(STORY, headers=wrong)).json()["code"] == "too_many_tries"
        assert (await http.get(STORY, headers=right)).status_code == 200
        monkeypatch.setattr(access, "WHILE_SECONDS", 0.0)
        assert (await http.get(STORY, headers=wrong)).json()["code"] == "support_key_wrong"


async def test_without_a_key_there_is_no_support(sold: Stage) -> None:
    closed = sold.settings.model_copy(update={"support_key": None})
    async with sold.harness.running(create_app, closed) as app:
        headers = {"Authorization": f"Bearer {SUPPORT_KEY}"}
        answers = [await app.http.get(path, headers=headers) for path in ("/support", PAGE, STORY)]
        answers += [await app.http.post(f"/support/{step}") for step in ("enter", "leave")]
    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize("away", ["inventory", "payments", "tickets", "notifications"])
async def test_a_service_that_is_away_leaves_a_sentence(sold: Stage, away: str) -> None:
    sold.neighbours.down.add(away)
    page = await (await inside(sold)).open(PAGE)
    assert f"{away.capitalize()} does not answer at the moment; its part is missing." in page.html
    assert "The order was placed." in page.html


async def test_without_orders_nothing_can_be_found_and_the_page_says_so(sold: Stage) -> None:
    browser = await inside(sold)
    sold.neighbours.down.add("orders")
    for path in (PAGE, f"/support?q={TRACE_ID}"):
        assert "Orders does not answer at the moment." in (await browser.open(path, 503)).html


async def test_an_order_is_found_by_its_trace(sold: Stage) -> None:
    browser = await inside(sold)
    for words in (TRACE_ID, f"00-{TRACE_ID}-b7ad6b7169203331-01", f"http://traces.example/trace/{TRACE_ID}"):
        found = await browser.http.get("/support", params={"q": words})
        assert found.headers["location"] == PAGE, words
    sold.neighbours.heads.append(head(number="K7Q2-9MXA"))
    assert "K7Q2-9MXA" in (await browser.open(f"/support?q={TRACE_ID}")).html
    unknown = await browser.open(f"/support?q={'1' * 32}", 404)
    assert "No order was placed in this trace." in unknown.html
    assert "No order has this number." in (await browser.open("/support?q=nonsense!", 404)).html


async def test_an_orders_id_opens_every_door_that_its_number_opens(sold: Stage) -> None:
    order_id = sold.neighbours.heads[0]["order_id"]
    browser = await inside(sold)
    found = await browser.http.get("/support", params={"q": f" {order_id.upper()} "})
    assert found.headers["location"] == f"/support/orders/{order_id}"
    assert "G3D3-BGVZ" in (await browser.open(found.headers["location"])).html
    key = {"Authorization": f"Bearer {SUPPORT_KEY}"}
    async with httpx.AsyncClient(base_url=sold.base_url, timeout=30) as http:
        by_id = await http.get(f"/api/support/orders/{order_id}", headers=key)
        unknown = await http.get(f"/api/support/orders/{TRACE_ID[:8]}-1111-4111-8111-111111111111", headers=key)
    assert by_id.json()["number"] == "G3D3-BGVZ"
    assert (unknown.status_code, unknown.json()["detail"].split(" 0af")[0]) == (404, "No order has the id")


async def test_that_the_spans_are_gone_or_cannot_be_asked_for_is_said(sold: Stage) -> None:
    async def store(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"error": {"message": "unknown"}}'})

    async with sold.harness.serving(store) as url:
        for address, words in ((url, "The spans are gone;"), ("http://127.0.0.1:9", "The trace store does not answer")):
            asking = sold.settings.model_copy(update={"trace_query_url": address})
            async with sold.harness.running(create_app, asking) as app:
                story = (await app.http.get(STORY, headers={"Authorization": f"Bearer {SUPPORT_KEY}"})).json()
            assert [note.startswith(words) for note in story["notes"]] == [True]
            assert len(story["lines"]) == 4


async def test_each_look_is_written_down(sold: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with httpx.AsyncClient(base_url=sold.base_url, timeout=30) as http:
        await http.get(STORY, headers={"Authorization": f"Bearer {SUPPORT_KEY}"})
    written = "\n".join(record.getMessage() for record in caplog.records)
    assert "support looked an order up" in written
    assert "G3D3-BGVZ" in written
    assert SUPPORT_KEY not in written
