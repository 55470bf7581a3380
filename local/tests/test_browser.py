"""The buyer's browser: forms, cookies and redirects as a person's browser treats them."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from chassis.testing import Harness
from local.browser import Browser

PAGE = """
<meta name="trace-id" content="4bf9"><h1>An <em>event</em></h1>
<div role="alert"><p>That did not work.</p><p>Try again.</p></div><p>Small print</p>
<div class="notice notice--warning"><p>Many are here.</p><p>Wait a moment.</p></div>
<div class="notice notice--info"><p>Doors open at 20:00.</p></div>
<form method="post" action="/orders?from=page"><input type="hidden" name="form_token" value="t&amp;k">
<input type="number" name="quantity-a" value="0"><input type="checkbox" name="seat" value="1-1">
<input type="checkbox" name="seat" value="1-2" checked><input name="off" value="x" disabled>
<button name="go" value="yes">Buy</button></form><script>let code</script><style>p {}</style>
<a href="orders/7" data-order-number="K7Q2">Mine</a>
"""


async def page(_request: Request) -> Response:
    response = HTMLResponse(PAGE)
    response.set_cookie("__Secure-session", "s1", secure=True, httponly=True)
    response.set_cookie("narrow", "n1", path="/orders")
    return response


async def order(request: Request) -> Response:
    form = await request.form()
    got = [*form.multi_items(), ("cookies", ",".join(sorted(request.cookies)))]
    request.app.state.got = got
    return RedirectResponse("/done", 303)


async def done(request: Request) -> Response:
    return HTMLResponse(f"<h1>{request.method} {','.join(sorted(request.cookies))}</h1>")


@pytest.fixture
async def site(harness: Harness) -> AsyncIterator[tuple[str, Starlette]]:
    app = Starlette(routes=[Route("/page", page), Route("/orders", order, methods=["POST"]), Route("/done", done)])
    async with harness.serving(app) as url:
        yield url, app


async def test_a_form_is_sent_with_its_hidden_fields_and_what_was_filled_in(site: tuple[str, Starlette]) -> None:
    url, app = site
    async with Browser() as browser:
        form = (await browser.open(f"{url}/page")).form_to("/orders$")
        assert form is not None
        after = await browser.submit(form, [("quantity-a", "2")])
    assert app.state.got == [
        ("form_token", "t&k"),
        ("seat", "1-2"),
        ("quantity-a", "2"),
        ("cookies", "__Secure-session,narrow"),
    ]
    assert after.url == f"{url}/done"
    assert after.headings == ["GET __Secure-session"]


async def test_a_page_tells_its_facts_whatever_its_words_are(site: tuple[str, Starlette]) -> None:
    url, _ = site
    async with Browser() as browser:
        read = await browser.open(f"{url}/page")
    assert read.meta["trace-id"] == "4bf9"
    assert read.headings == ["An event"]
    assert read.alerts == ["That did not work.", "Try again.", "Many are here.", "Wait a moment."]
    assert read.datum("order-number") == "K7Q2"
    assert read.links == [(f"{url}/orders/7", "Mine")]
    notices = "That did not work. Try again. Small print Many are here. Wait a moment. Doors open at 20:00."
    assert read.text == f"An event {notices} Buy Mine"
