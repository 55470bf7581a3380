"""What browsers and proxies may keep, and what nobody may: pages with somebody's own words, and public answers."""

import httpx
import pytest

from services.web.tests.integration.conftest import Stage

ABOUT_KEEPING = ("etag", "cache-control", "vary", "content-security-policy")


def about_keeping(answer: httpx.Response) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in ABOUT_KEEPING}


@pytest.fixture(params=["/", "event"])
def page(stage: Stage, request: pytest.FixtureRequest) -> str:
    return f"/events/{stage.festival}" if request.param == "event" else str(request.param)


async def test_a_browser_that_has_the_page_is_not_sent_it_again(stage: Stage, page: str) -> None:
    browser = await stage.browser()
    first = await browser.http.get(page)
    again = await browser.http.get(page, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Cookie, Accept-Language, Accept-Encoding"
    assert about_keeping(again) == about_keeping(first)
    assert "set-cookie" not in again.headers
    assert "content-length" not in again.headers


async def test_a_page_that_says_something_else_is_sent_whole(stage: Stage) -> None:
    browser = await stage.browser()
    page = f"/events/{stage.festival}"
    first = await browser.http.get(page)
    stage.neighbours.events[str(stage.festival)]["title"] = "Another name"
    await stage.harness.tell("events.catalog.event_changed.v1", {"event_id": str(stage.festival)})

    async def is_new() -> bool:
        again = await browser.http.get(page, headers={"If-None-Match": first.headers["etag"]})
        return again.status_code == 200 and "Another name" in again.text

    await stage.harness.eventually(is_new)


async def test_the_page_of_one_visitor_is_never_that_of_another(stage: Stage, page: str) -> None:
    ada, ben = await stage.browser(), await stage.browser()
    tag = (await ada.http.get(page)).headers["etag"]
    await ben.http.get(page)

    assert (await ben.http.get(page, headers={"If-None-Match": tag})).status_code == 200
    # Nobody's cookie is guessed from it, and who has thrown theirs away gets a form that fits the new one.
    nobody = await stage.browser()
    assert (await nobody.http.get(page, headers={"If-None-Match": tag})).status_code == 200


async def test_a_form_of_a_page_that_was_kept_is_taken(stage: Stage) -> None:
    browser = await stage.browser()
    path = f"/events/{stage.play}"
    page = await browser.open(path)
    tag = (await browser.http.get(path)).headers["etag"]
    assert (await browser.http.get(path, headers={"If-None-Match": tag})).status_code == 304

    assert (await browser.send(page, f"{path}/orders", seat=["0-0-0"])).status_code == 303


async def test_who_has_placed_an_order_keeps_no_page_since_its_attempt_is_used(stage: Stage, page: str) -> None:
    browser = await stage.browser()
    tag = (await browser.http.get(page)).headers["etag"]
    await browser.place(stage.play, "0-0-0")
    after = await browser.http.get(page, headers={"If-None-Match": tag})

    assert (after.status_code, after.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in after.headers


async def test_amounts_in_another_language_are_another_page(stage: Stage, page: str) -> None:
    browser = await stage.browser()
    tag = (await browser.http.get(page)).headers["etag"]
    german = await browser.http.get(page, headers={"If-None-Match": tag, "Accept-Language": "de"})
    assert german.status_code == 200


async def test_public_answers_are_marked_and_spared(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    style = page.html.split('rel="stylesheet" href="')[1].split('"')[0]
    plan = page.html.split('data-plan="')[1].split('"')[0]
    nobody = httpx.AsyncClient(base_url=stage.base_url, timeout=30)
    async with nobody:
        for path in (style, plan, f"/api/events/{stage.play}/places"):
            first = await nobody.get(path)
            again = await nobody.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
            assert first.headers["cache-control"].startswith("public"), path
            assert first.headers["vary"] == "Accept-Encoding", path
            assert about_keeping(again) == about_keeping(first), path
            for answer in (first, again):
                assert "set-cookie" not in answer.headers, path
                assert "form_token" not in answer.text, path


async def test_head_says_what_get_says(stage: Stage) -> None:
    browser = await stage.browser()
    page = await browser.open(f"/events/{stage.play}")
    style = page.html.split('rel="stylesheet" href="')[1].split('"')[0]
    plan = page.html.split('data-plan="')[1].split('"')[0]
    for path in ("/", f"/events/{stage.play}", style, plan, f"/api/events/{stage.play}/places"):
        got, head = await browser.http.get(path), await browser.http.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        # Words of one's own compress to another length each time.
        own = {"x-trace-id", "content-length"} if path in ("/", f"/events/{stage.play}") else {"x-trace-id"}
        assert {k: v for k, v in head.headers.items() if k not in own} == {
            k: v for k, v in got.headers.items() if k not in own
        }, path
        spared = await browser.http.head(path, headers={"If-None-Match": got.headers["etag"]})
        assert spared.status_code == 304, path
        assert about_keeping(spared) == about_keeping(got), path
