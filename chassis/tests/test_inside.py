"""Calls within one process mean what they mean over the network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.calls import Answered, Calls, Network, NotSent, Sending
from chassis.crowds import MOST_OF_ONE, Crowd
from chassis.health import Readiness
from chassis.inside import Housed, Household, carry_to
from chassis.testing import Harness
from tracing.metrics import Metrics

PATIENCE_SECONDS = 10.0
TRANSPORT_ONLY = {"host", "accept", "accept-encoding", "connection", "content-length", "user-agent", "date", "server"}

Answer = Callable[[Request], Awaitable[Response]]

LIVING: list[asyncio.Task[None]] = []

mood: ContextVar[str] = ContextVar("mood", default="calm")


def an_app(answer: Answer, *crowds: Crowd) -> Any:
    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])])
    readiness = Readiness()
    app.state.service = SimpleNamespace(
        crowds=list(crowds), readiness=readiness, needs=lambda name, check: readiness.checks.update({name: check})
    )
    return app


async def at_home(app: Any, name: str = "shop") -> Household:
    """A household whose member has started."""
    home = Household({name})
    await started(home.take_in(name, lambda: app))
    return home


async def started(member: Housed) -> None:
    """A member has."""
    started = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if started.is_set():
            await asyncio.Event().wait()
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        started.set()

    LIVING.append(asyncio.create_task(member({"type": "lifespan", "state": {}, "asgi": {}}, receive, send)))
    await started.wait()


@pytest.fixture(autouse=True)
async def all_end() -> AsyncIterator[None]:
    """The members of households live as long as a test."""
    yield
    while LIVING:
        LIVING.pop().cancel()


def sending(method: str = "GET", path: str = "/", query: str = "", body: bytes = b"", **headers: str) -> Sending:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sending(method, "http://shop:8000", path, query, named, body, PATIENCE_SECONDS, 1.0)


async def call(home: Household, request: Sending) -> Answered:
    carry = home.carry_to("shop")
    assert carry is not None
    return await carry(request)


async def tell_all(request: Request) -> Response:
    """Says what it was asked, with a header twice."""
    asked = {
        "method": request.method,
        "path": request.scope["path"],
        "raw": request.scope["raw_path"].decode(),
        "query": request.url.query,
        "headers": sorted(each for each in request.headers.items() if each[0] not in TRANSPORT_ONLY),
        "body": (await request.body()).decode(),
    }
    answer = JSONResponse(asked, 203, {"X-Once": "1"})
    for number in "ab":
        answer.raw_headers.append((b"x-twice", number.encode()))
    return answer


@pytest.mark.parametrize(
    "request_",
    [
        sending(),
        sending(path="/events/1/holds/a%20b%2Fc", query="q=K%C3%B6ln&n=1"),
        sending("POST", "/orders", body=b'{"a":1}', Content_Type="application/json", Idempotency_Key="k"),
        sending("PUT", "/payments/7", body="ü".encode() * 40_000, Content_Type="text/plain"),
        sending("DELETE", "/holds/1", Authorization="Bearer x", traceparent="00-1-2-03"),
    ],
    ids=["bare", "quoted", "json", "long", "delete"],
)
async def test_the_provider_sees_and_says_what_it_does_over_the_network(harness: Harness, request_: Sending) -> None:
    app = an_app(tell_all)
    inside = await call(await at_home(app), request_)
    network = Network(is_encrypted=False)
    async with harness.serving(app) as url:
        there = Sending(request_.method, url, *(getattr(request_, name) for name in Sending.__slots__[2:]))
        outside = await network.carry(there)
    await network.close()
    assert inside.status_code == outside.status_code == 203
    assert orjson.loads(inside.content) == orjson.loads(outside.content)
    for name in ("X-Once", "x-twice", "Content-Type", "content-length"):
        assert list(inside.headers.getall(name)) == list(outside.headers.getall(name))  # type: ignore[attr-defined]


async def test_nothing_of_the_callers_reaches_the_provider_but_what_it_sends_and_nothing_comes_back() -> None:
    async def answer(_request: Request) -> Response:
        found = mood.get()
        mood.set("angry")
        return Response(found)

    home = await at_home(an_app(answer))
    mood.set("merry")
    assert (await call(home, sending())).content == b"calm"
    assert mood.get() == "merry"


async def test_who_waits_no_longer_leaves_and_the_provider_goes_on() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            return
        await receive()
        began.set()
        assert (await receive())["type"] == "http.disconnect"
        ended.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"too late"})

    home = Household({"shop"})
    member = home.take_in("shop", lambda: an_app(tell_all))
    member.app = app
    await member({"type": "lifespan"}, None, _nothing)
    patient = sending()
    with pytest.raises(TimeoutError):
        await call(home, Sending("GET", patient.origin, "/", "", {}, b"", 0.05, 1.0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await ended.wait()
    began.clear()
    ended.clear()
    caller = asyncio.create_task(call(home, patient))
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    async with asyncio.timeout(PATIENCE_SECONDS):
        await ended.wait()


async def _nothing(_message: Any) -> None:
    """Takes what an application says of its life."""


async def test_a_provider_that_breaks_is_an_answer_of_500() -> None:
    async def answer(_request: Request) -> Response:
        raise RuntimeError("broken")

    assert (await call(await at_home(an_app(answer)), sending())).status_code == 500


async def test_so_is_one_that_ends_without_an_answer() -> None:
    async def silence(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})

    home = Household({"shop"})
    member = home.take_in("shop", lambda: an_app(tell_all))
    member.app = silence
    await member({"type": "lifespan"}, None, _nothing)
    assert (await call(home, sending())).status_code == 500


async def test_one_that_has_not_started_was_never_asked_and_is_asked_again_whatever_it_is() -> None:
    async def answer(_request: Request) -> Response:
        return Response("there")

    home = Household({"shop"})
    home.take_in("shop", lambda: an_app(answer))
    with pytest.raises(NotSent):
        await call(home, sending())
    late = await at_home(an_app(answer))
    asked = 0

    async def carry(request: Sending) -> Answered:
        nonlocal asked
        asked += 1
        return await call(home if asked == 1 else late, request)

    async with Calls("shop", "http://shop:8000", carry=carry) as calls:
        assert (await calls.request("POST", "/orders")).content == b"there"
    assert asked == 2


async def test_none_is_ready_before_all_of_its_process_have_started() -> None:
    async def answer(_request: Request) -> Response:
        return Response("there")

    home = Household({"shop", "till"})
    app = an_app(answer)
    readiness = app.state.service.readiness
    await started(home.take_in("shop", lambda: app))
    assert await readiness.report() == ("not ready", {"process": "till of the same process has not started"})
    await started(home.take_in("till", lambda: an_app(answer)))
    assert await readiness.report() == ("ready", {"process": "ready"})


async def test_a_crowd_is_refused_before_the_provider_sees_it() -> None:
    gate, full, seen = asyncio.Event(), asyncio.Event(), 0

    async def answer(_request: Request) -> Response:
        nonlocal seen
        seen += 1
        if seen == MOST_OF_ONE:
            full.set()
        await gate.wait()
        return Response("held")

    crowd = Crowd("PUT", "/events/{event_id}/holds/{hold_id}", "event_id", Metrics())
    home = await at_home(an_app(answer, crowd))
    one = sending("PUT", "/events/7/holds/1", traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
    held = [asyncio.create_task(call(home, one)) for _ in range(MOST_OF_ONE)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await full.wait()
    refused = await call(home, one)
    assert (refused.status_code, refused.headers["Retry-After"].isdecimal(), seen) == (503, True, MOST_OF_ONE)
    assert refused.headers["X-Trace-Id"] == refused.json()["trace_id"] == "ab" * 16
    gate.set()
    assert {each.status_code for each in await asyncio.gather(*held)} == {200}


def test_who_is_not_of_the_household_is_called_over_the_network() -> None:
    found: list[bool] = []

    def build() -> Any:
        found.extend(carry_to(name) is None for name in ("shop", "bank"))
        return an_app(tell_all)

    Household({"shop"}).take_in("shop", build)
    assert found == [False, True]
    assert carry_to("shop") is None
