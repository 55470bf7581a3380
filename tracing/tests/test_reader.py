"""The reader: what it makes of a trace, and what it says when it gets none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tracing.model import human_duration, traces_from_otlp
from tracing.reader import StoreUnreachable, TraceReader, TraceUnknown, normal_trace_id
from tracing.tests.traces import TRACE_ID, purchase, span, trace


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that always says the same: somebody else's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_tree_knows_roots_children_ancestors_and_services() -> None:
    read = purchase()
    assert [one.span_id for one in read.roots] == ["a"]
    assert read.orphans == ()
    orders = read.get("c")
    assert orders is not None
    assert [one.span_id for one in read.children_of(orders)] == ["d", "e", "g"]
    assert [one.span_id for one in read.ancestors_of(orders)] == ["b", "a"]
    assert read.services == ("web", "orders", "payments", "tickets")
    assert read.duration_ns == 200_000_000
    assert [(depth, one.span_id) for depth, one in read.walk()] == [
        (0, "a"), (1, "b"), (2, "c"), (3, "d"), (3, "e"), (4, "f"), (3, "g"),
    ]  # fmt: skip


def test_a_span_whose_parent_is_not_there_is_an_orphan() -> None:
    read = trace(span("a", "", "web GET /"), span("b", "lost", "orders GET /"), span("c", "b", "orders sql"))
    assert [one.span_id for one in read.orphans] == ["b"]
    assert sorted(one.span_id for _, one in read.walk()) == ["a", "b", "c"]


def test_spans_that_are_each_others_parents_are_shown_and_end() -> None:
    read = trace(span("a", "b", "web GET /"), span("b", "a", "web GET /"), span("c", "c", "web GET /"))
    assert sorted(one.span_id for _, one in read.walk()) == ["a", "b", "c"]
    assert [one.span_id for one in read.ancestors_of(read.spans[0])] == ["b"]


def test_enumerations_are_understood_as_numbers_and_as_names() -> None:
    raw = {"traceId": TRACE_ID, "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": 2}
    spans = [
        {**raw, "spanId": "1", "kind": 2, "status": {"code": 2}},
        {**raw, "spanId": "2", "kind": "SPAN_KIND_CONSUMER", "status": {"code": "STATUS_CODE_ERROR"}},
    ]
    (read,) = traces_from_otlp({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]})
    assert [(one.kind, one.status.code) for one in read.spans] == [("server", "error"), ("consumer", "error")]


def test_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match="not OTLP JSON"):
        traces_from_otlp({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "no ids"}]}]}]})


@pytest.mark.parametrize(
    "text",
    [
        TRACE_ID,
        TRACE_ID.upper(),
        f" {TRACE_ID[1:]} ",
        f"00-{TRACE_ID}-b7ad6b7169203331-01",
        f"http://127.0.0.1:16686/trace/{TRACE_ID}?uiFind=x#span-b7ad6b7169203331",
    ],
)
def test_a_trace_id_is_found_in_what_people_paste(text: str) -> None:
    assert normal_trace_id(text) == TRACE_ID


def test_what_is_no_trace_id_is_refused() -> None:
    with pytest.raises(ValueError, match="up to 32 hexadecimal digits"):
        normal_trace_id("K7Q2-9MXA")


def test_a_store_that_is_not_there_gives_a_sentence() -> None:
    with TraceReader("http://127.0.0.1:1") as reader, pytest.raises(StoreUnreachable, match="Is it running"):
        reader.trace(TRACE_ID)


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (404, b"<html>"), (500, b"{}"), (302, b"")])
def test_somebody_else_on_that_port_is_not_taken_for_a_store(status: int, body: bytes) -> None:
    refused = pytest.raises(StoreUnreachable, match="is not a trace store")
    with answering(status, body) as url, TraceReader(url) as reader, refused:
        reader.trace(TRACE_ID)


def test_a_store_that_does_not_know_the_trace_says_so() -> None:
    with (
        answering(404, b'{"error": {"httpCode": 404, "message": "No traces found"}}') as url,
        TraceReader(url) as reader,
    ):
        with pytest.raises(TraceUnknown, match=f"does not know the trace {TRACE_ID}"):
            reader.trace(TRACE_ID)
        assert reader.search("web") == []


def test_a_refusal_carries_the_stores_own_words() -> None:
    answer = b'{"error": {"message": "malformed parameter query.durationMin"}}'
    refused = pytest.raises(ValueError, match=r"^malformed parameter query[.]durationMin$")
    with answering(400, answer) as url, TraceReader(url) as reader, refused:
        reader.search("web")


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_500, "1.50 µs"),
        (45_600_000, "45.6 ms"),
        (412_300_000, "412 ms"),
        (61 * 10**9, "61.0 s"),
    ],
)
def test_durations_have_three_digits_and_a_unit(duration_ns: int, text: str) -> None:
    assert human_duration(duration_ns) == text
