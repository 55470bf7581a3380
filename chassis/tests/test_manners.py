"""What proxies, monitors and strangers rely on: HEAD, `Allow`, redirects, traces, and text that no database keeps; over a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import ValidationError
from starlette.responses import StreamingResponse

from chassis import protocol
from chassis.identity import open_to_all
from chassis.models import Keepable
from chassis.protocol import BoundedProtocol
from chassis.service import Service
from chassis.testing import Harness, RunningApp
from chassis.tests.sample.app import SampleSettings, create_app
from tracing.testing import Kept

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
STRANGERS = "a" * 32


@pytest.fixture
async def app(harness: Harness) -> AsyncIterator[RunningApp]:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS)
    async with harness.running(create_app, settings) as running:
        yield running


def with_more_routes(settings: SampleSettings) -> FastAPI:
    """Two routers that share addresses, one below a prefix of its own, and a stream that does not end."""
    service = Service(settings, title="Sample", streams=("/live/",))
    one, other, nested, outer = APIRouter(), APIRouter(), APIRouter(prefix="/inner"), APIRouter(prefix="/outer")

    @one.get("/shared", dependencies=[open_to_all])
    async def read() -> dict[str, str]:
        return {"words": "as they are"}

    @other.put("/shared", dependencies=[open_to_all])
    @other.delete("/shared", dependencies=[open_to_all])
    async def change() -> None:
        return None

    @nested.post("/only-post", dependencies=[open_to_all])
    async def post() -> None:
        return None

    @one.get("/live/stream", dependencies=[open_to_all])
    async def stream() -> StreamingResponse:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"data: 1\n\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(endless(), media_type="text/event-stream")

    outer.include_router(nested)
    for router in (one, other, outer):
        service.include(router)
    return service.build()


@pytest.fixture
async def more(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS)
    async with (
        harness.serving(with_more_routes(settings)) as url,
        httpx.AsyncClient(base_url=url, timeout=10) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/shared"])
async def test_head_has_the_headers_of_get_and_no_body(more: httpx.AsyncClient, path: str) -> None:
    got, headed = await more.get(path), await more.head(path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    differing = {"date", "x-trace-id", "content-length" if path == "/metrics" else ""}
    assert {name for name in headed.headers if name not in differing} == {
        name for name in got.headers if name not in differing
    }
    if path != "/metrics":
        assert headed.headers["content-length"] == str(len(got.content))


async def test_head_of_a_stream_ends(more: httpx.AsyncClient) -> None:
    headed = await asyncio.wait_for(more.head("/live/stream"), 10)
    assert headed.status_code == 200
    assert headed.headers["content-type"].startswith("text/event-stream")
    assert (await more.head("/shared")).status_code == 200  # on the same connection


async def test_head_is_traced_as_head(more: httpx.AsyncClient, kept_spans: Kept) -> None:
    await more.head("/shared")
    (span,) = kept_spans.named("HEAD /shared")
    assert span.attributes["http.request.method"] == "HEAD"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/shared", "GET, HEAD, PUT, DELETE"),
        ("GET", "/outer/inner/only-post", "POST"),
        ("HEAD", "/outer/inner/only-post", "POST"),
        ("PATCH", "/shared", "GET, HEAD, PUT, DELETE"),
        ("DELETE", "/livez", "GET, HEAD"),
    ],
)
async def test_who_uses_the_wrong_method_gets_the_right_ones(
    more: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await more.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_a_slash_too_many_leads_to_the_same_host_whatever_the_request_names(more: httpx.AsyncClient) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    answer = await more.get("/shared/?a=1&b=%2F", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (307, "/shared?a=1&b=%2F")
    put = await more.put("/shared/", headers=headers)
    assert (put.status_code, put.headers["location"]) == (307, "/shared")


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/shared/", "/%2Fevil.example/", "/nowhere/", "/shared//"]
)
async def test_no_redirect_leads_to_another_host_or_nowhere(more: httpx.AsyncClient, path: str) -> None:
    base = str(more.base_url).rstrip("/")
    answer = await more.get(httpx.URL(base + path))
    assert (answer.status_code, "location" in answer.headers) == (404, False)


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_a_strangers_trace_is_linked_and_decides_nothing(app: RunningApp, kept_spans: Kept, flags: str) -> None:
    answer = await app.http.get(f"/things/{uuid4()}", headers={"traceparent": f"00-{STRANGERS}-{'b' * 16}-{flags}"})
    (span,) = [each for each in kept_spans.spans if each.kind == "server"]
    assert span.trace_id == answer.headers["x-trace-id"] != STRANGERS
    assert [(link.trace_id, link.attributes["onsale.link"]) for link in span.links] == [
        (STRANGERS, "named by a stranger")
    ]


@pytest.mark.parametrize("header", ["", "00-zz-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "x" * 5000])
async def test_what_is_no_trace_is_not_linked(app: RunningApp, kept_spans: Kept, header: str) -> None:
    await app.http.get(f"/things/{uuid4()}", headers={"traceparent": header})
    (span,) = [each for each in kept_spans.spans if each.kind == "server"]
    assert span.links == ()


async def test_the_trace_of_one_of_our_services_is_gone_on_with(
    harness: Harness, app: RunningApp, kept_spans: Kept
) -> None:
    sent = harness.headers("web", to="sample") | {"traceparent": f"00-{STRANGERS}-{'b' * 16}-01"}
    answer = await app.http.get(f"/things/{uuid4()}", headers=sent)
    assert answer.headers["x-trace-id"] == STRANGERS
    elses = harness.headers("web", to="orders") | {"traceparent": f"00-{STRANGERS}-{'b' * 16}-01"}
    answer = await app.http.get(f"/things/{uuid4()}", headers=elses)
    assert answer.headers["x-trace-id"] != STRANGERS


UNKEEPABLE = [b'"la\\u0000mp"', b'"\\ud800"', b'"\\udfff lamp"', b'"lamp \\ud83d"']


@pytest.mark.parametrize("name", UNKEEPABLE)
async def test_text_that_no_database_keeps_is_refused(harness: Harness, app: RunningApp, name: bytes) -> None:
    sent = harness.headers("web", to="sample", person=uuid4()) | {"Idempotency-Key": "key-00001"}
    for body in (b'{"name": ' + name + b"}", b"{" + name + b': "lamp"}'):
        answer = await app.http.post("/things", content=body, headers=sent | {"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.parametrize(
    ("address", "status"), [("/things/%00", 404), ("/th%00ings", 404), ("/shared?x=%00", 422), ("/shared?%00=x", 422)]
)
async def test_an_address_that_no_database_keeps_is_refused(app: RunningApp, address: str, status: int) -> None:
    answer = await app.http.get(address)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("value", [{"a": ["\0"]}, {"a": {"\ud800": 1}}, {"a": [{"b": "\udc00"}]}])
def test_text_that_no_database_keeps_is_found_wherever_it_is(value: object) -> None:
    with pytest.raises(ValidationError, match="cannot be kept"):
        Keepable.model_validate(value)


# Headers that do not end


@pytest.fixture
async def served(harness: Harness) -> AsyncIterator[tuple[str, int]]:
    """The protocol as `chassis.serve` uses it."""
    listener = socket.create_server(("127.0.0.1", 0))

    async def plain(_scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    server = uvicorn.Server(uvicorn.Config(plain, log_config=None, http=BoundedProtocol, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await harness.eventually(lambda: server.started)
    yield listener.getsockname()
    server.should_exit = True
    await task


async def said_to(address: tuple[str, int], *parts: bytes) -> bytes:
    """What the server answers until it closes the connection."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


async def test_headers_that_never_end_are_ended(served: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADERS_SECONDS", 0.3)
    for unfinished in (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: a", b"G", b"GET / HTTP/1.1\r\n"):
        assert (await said_to(served, unfinished)).startswith(b"HTTP/1.1 408")
    assert await said_to(served) == b""


@pytest.mark.parametrize("kind", ["one", "many", "address", "endless"])
async def test_headers_that_are_too_large_are_refused(served: tuple[str, int], kind: str) -> None:
    large = b"x" * 40_000
    requests = {
        "one": (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + large + b"\r\n\r\n",),
        "many": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Many: yes\r\n" * 4_000 + b"\r\n",),
        "address": (b"GET /" + large + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
        "endless": (b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ", *[b"y" * 20_000] * 10),
    }
    answer = await said_to(served, *requests[kind])
    assert answer == b"closed" or answer.startswith(b"HTTP/1.1 431")


async def test_an_ordinary_request_and_a_large_body_pass(served: tuple[str, int]) -> None:
    body = b"z" * 200_000
    length = str(len(body)).encode()
    answer = await said_to(
        served,
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"c" * 8_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + length + b"\r\n\r\n" + body,
    )
    assert answer.count(b"HTTP/1.1 200") == 2
