"""What is public is marked, and spared for who has it; what is not is left alone."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chassis.keeping import SparesWhatIsKept, tag_of

PUBLIC = {"Cache-Control": "public, max-age=60", "Vary": "Accept-Encoding"}


async def everybodys(_request: Request) -> Response:
    return Response(b"the same", headers=PUBLIC)


async def marked(_request: Request) -> Response:
    return Response(b"the same", headers=PUBLIC | {"ETag": '"its own"'})


async def somebodys(_request: Request) -> Response:
    return Response(b"a token", headers={"Cache-Control": "private, max-age=60"})


async def missing(_request: Request) -> Response:
    return Response(b"not there", 404, headers=PUBLIC)


async def streamed(_request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    return StreamingResponse(pieces(), headers=PUBLIC)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    routes = [
        Route(f"/{each.__name__}", each, methods=["GET", "POST"])
        for each in (everybodys, marked, somebodys, missing, streamed)
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes, middleware=[Middleware(SparesWhatIsKept)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as made:
        yield made


@pytest.mark.parametrize(("path", "tag"), [("/everybodys", tag_of(b"the same")), ("/marked", '"its own"')])
async def test_who_has_it_is_told_so(http: httpx.AsyncClient, path: str, tag: str) -> None:
    first = await http.get(path)
    assert (first.status_code, first.content, first.headers["etag"]) == (200, b"the same", tag)
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), f"W/{tag.removeprefix('W/')}", "*"):
        again = await http.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b""), known
        for name in ("etag", "cache-control", "vary"):
            assert again.headers[name] == first.headers[name]
        assert "content-length" not in again.headers
    assert (await http.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("path", ["/somebodys", "/missing", "/streamed"])
async def test_what_is_not_everybodys_and_whole_is_left_as_it_is(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers={"If-None-Match": "*"})
    assert answer.status_code != 304
    assert answer.content
    assert "etag" not in answer.headers


async def test_what_is_posted_is_never_spared(http: httpx.AsyncClient) -> None:
    assert (await http.post("/everybodys", headers={"If-None-Match": "*"})).status_code == 200
