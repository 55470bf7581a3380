"""A visitor of the lean crowd says what a browser says."""

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.bench.crowd import Visitor


async def test_a_form_says_that_it_comes_from_a_page_of_the_shop() -> None:
    asked: list[tuple[str, str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.headers.get("origin"), request.headers.get("sec-fetch-site")))
        return web.Response(text="a page")

    shop = web.Application()
    shop.router.add_route("*", "/", answer)
    async with TestServer(shop) as server, ClientSession() as http:
        url = str(server.make_url("/"))
        await Visitor(http).go(url)
        await Visitor(http).go(url, [("seat", "A1")])
    assert asked == [("GET", None, None), ("POST", url.rstrip("/"), "same-origin")]
