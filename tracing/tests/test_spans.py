"""What spans say of how they ended, and what they lead to."""

import asyncio
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracing.asgi import TracingMiddleware
from tracing.spans import context_of, continued, current_traceparent, inject, link_of, note, span
from tracing.testing import Kept


class SoldOut(Exception):
    """An error of a domain."""

    code = "sold_out"
    category = "conflict"


class NoAnswer(Exception):
    """One of which nobody knows whether it took effect."""

    code = "payments_unavailable"
    category = "unavailable"


def fail_with(error: BaseException) -> None:
    with span("orders.use_case"):
        raise error


def test_a_refusal_is_an_answer_and_no_failure(kept_spans: Kept) -> None:
    with pytest.raises(SoldOut):
        fail_with(SoldOut("Only 2 are left for zoe@example.test."))
    ended = kept_spans.the("orders.use_case")
    assert (ended.status.code, ended.attributes, ended.events) == ("unset", {"onsale.refusal": "sold_out"}, ())


@pytest.mark.parametrize(
    ("error", "reason"), [(NoAnswer("zoe"), "payments_unavailable"), (KeyError("zoe"), "KeyError")]
)
def test_a_failure_tells_its_kind_and_where_it_was_and_not_its_text(
    error: Exception, reason: str, kept_spans: Kept
) -> None:
    with pytest.raises(type(error)):
        fail_with(error)
    ended = kept_spans.the("orders.use_case")
    assert (ended.status.code, ended.status.message) == ("error", reason)
    assert ended.attributes["error.type"] == type(error).__name__
    (event,) = ended.events
    assert event.attributes["exception.type"] == type(error).__name__
    assert "fail_with" in str(event.attributes["exception.stacktrace"])
    assert "zoe" not in kept_spans.as_text()


async def test_work_that_is_cut_off_says_so(kept_spans: Kept) -> None:
    async def work_on() -> None:
        with span("orders.use_case"):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(work_on(), 0.01)
    ended = kept_spans.the("orders.use_case")
    assert ended.status.message.startswith("cut off")
    assert ended.events == ()


def test_a_repetition_is_linked_to_its_origin_beside_other_links(kept_spans: Kept) -> None:
    with span("orders.first"):
        origin = current_traceparent()
    with span("orders.cause"):
        cause = link_of(current_traceparent(), "caused by")
    assert cause is not None
    with continued("orders.again", origin, repeated=True, links=[cause]):
        note({"onsale.attempt": 2, "onsale.reason": None})
    first, again = kept_spans.the("orders.first"), kept_spans.the("orders.again")
    assert (again.trace_id, again.parent_id) == (first.trace_id, first.span_id)
    assert [link.attributes["onsale.link"] for link in again.links] == ["caused by", "repetition of"]
    assert again.links[1].span_id == first.span_id
    assert again.attributes == {"onsale.attempt": 2}
    assert link_of(None, "caused by") is None


async def test_the_span_of_a_stream_ends_when_it_begins(kept_spans: Kept) -> None:
    ended_while_streaming = []

    async def app(scope: object, receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        ended_while_streaming.append(len(kept_spans.named("GET")))
        await send({"type": "http.response.body", "body": b"answer"})

    traced: Any = TracingMiddleware(app, streams=("/live/",))
    transport = httpx.ASGITransport(traced)
    async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
        stream = await client.get("/live/orders/1")
        await client.get("/orders/1")
    assert ended_while_streaming == [1, 1]
    streamed, page = kept_spans.named("GET")
    assert (streamed.attributes.get("onsale.stream"), page.attributes.get("onsale.stream")) == (True, None)
    assert stream.headers["x-trace-id"] == streamed.trace_id


async def test_a_method_that_a_stranger_invents_names_no_span(kept_spans: Kept) -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 405, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    traced: Any = TracingMiddleware(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(traced), base_url="http://web") as client:
        await client.request("ZOE", "/")
    assert kept_spans.the("HTTP").attributes["http.request.method"] == "_OTHER"


@pytest.mark.parametrize(
    "traceparent",
    [
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-too-much",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
        "00-\u0660af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "",
        None,
    ],
)
def test_a_traceparent_is_read_as_opentelemetry_reads_it(traceparent: str | None) -> None:
    theirs = TraceContextTextMapPropagator().extract({"traceparent": traceparent or ""}, context=Context())
    expected = trace.get_current_span(theirs).get_span_context()
    found = trace.get_current_span(context_of(traceparent)).get_span_context()
    assert (found, found.is_remote) == (expected, expected.is_remote)
    link = link_of(traceparent, "named")
    assert (link.context if link else trace.INVALID_SPAN_CONTEXT) == expected


def test_a_traceparent_is_written_as_opentelemetry_writes_it(kept_spans: Kept) -> None:
    assert current_traceparent() is None
    with span("orders.first"):
        assert current_traceparent() == inject({})["traceparent"]
