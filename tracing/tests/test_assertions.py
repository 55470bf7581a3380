"""The assertions must be able to fail, and must say why."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tracing.assertions import assert_complete, assert_explained, assert_path, spans_of, traced, wait_for_trace
from tracing.model import Trace
from tracing.reader import TraceReader, TraceUnknown
from tracing.spans import context_of
from tracing.tests.running_store import Telemetry, running_store, trace_id_of
from tracing.tests.traces import TRACE_ID, purchase, span, trace


class Arriving(TraceReader):
    """A store in which a span more has arrived at each look, up to the last."""

    def __init__(self, *spans_at_each_look: int) -> None:
        super().__init__("http://127.0.0.1:1")
        self._counts = list(spans_at_each_look)

    def trace(self, trace_id: str) -> Trace:
        count = self._counts.pop(0) if len(self._counts) > 1 else self._counts[0]
        if count == 0:
            raise TraceUnknown(trace_id, self.base_url)
        return trace(*purchase().spans[:count])


def test_a_path_may_have_gaps() -> None:
    end = assert_path(purchase(), "web POST /checkout", "orders POST /orders", "payments POST /payments")
    assert end.span_id == "f"
    assert_path(purchase(), "web POST *", "tickets process events.orders.*")
    assert_path(purchase(), "web POST /checkout", "web POST /orders")


def test_a_path_in_the_wrong_direction_does_not_hold() -> None:
    with pytest.raises(AssertionError, match="Found payments POST /payments, but beneath it no 'orders POST /orders'"):
        assert_path(purchase(), "payments POST /payments", "orders POST /orders")


def test_the_steps_between_have_an_order_too() -> None:
    with pytest.raises(AssertionError, match="Found orders POST /orders, but beneath it no 'web POST /checkout'"):
        assert_path(purchase(), "orders POST /orders", "web POST /checkout", "payments POST /payments")


def test_siblings_are_no_path_and_the_message_shows_how_far_it_went() -> None:
    with pytest.raises(AssertionError) as failed:
        assert_path(purchase(), "web POST /checkout", "payments POST /payments", "tickets process *")
    message = str(failed.value)
    assert "Found web POST /checkout -> payments POST /payments, but beneath it no 'tickets process *'" in message
    assert f"trace {TRACE_ID}" in message, "the waterfall"


def test_one_span_does_not_serve_two_steps() -> None:
    with pytest.raises(AssertionError, match="beneath it no"):
        assert_path(purchase(), "payments POST *", "payments POST /payments")


def test_a_first_step_that_is_nowhere_is_named() -> None:
    with pytest.raises(AssertionError, match="No span fits 'inventory PUT \\*'"):
        assert_path(purchase(), "inventory PUT *", "orders POST /orders")


def test_a_name_with_brackets_is_itself_and_no_pattern() -> None:
    made = trace(span("a", "", "web GET /seats[0]"))
    assert assert_path(made, "web GET /seats[0]").span_id == "a"


@pytest.mark.parametrize("steps", [(), ("web",)])
def test_steps_that_say_nothing_are_refused(steps: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="like 'orders POST /orders'"):
        assert_path(purchase(), *steps)


def test_a_failed_span_makes_a_trace_incomplete_unless_it_is_allowed() -> None:
    with pytest.raises(AssertionError, match="1 spans failed that should not have: orders POST /payments"):
        assert_complete(purchase())
    assert_complete(purchase(), allowed_errors=[("orders", "POST /payments")])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            trace(span("a", "", "web GET /"), span("b", "lost", "orders GET /")),
            "parents of 1 spans are not there: orders GET /",
        ),
        (trace(span("a", "", "web GET /"), span("b", "", "orders GET /")), r"has 2 roots \(web GET /, orders GET /\)"),
        (trace(span("b", "lost", "orders GET /")), "has 0 roots"),
    ],
)
def test_orphans_and_several_roots_make_a_trace_incomplete(made: Trace, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_complete(made)


def test_spans_are_found_by_service_and_pattern() -> None:
    assert [one.span_id for one in spans_of(purchase(), "orders", "POST /pay*")] == ["d", "e"]


async def test_it_waits_until_what_is_required_has_arrived() -> None:
    with Arriving(0, 0, 2, 7) as reader:
        whole = await wait_for_trace(reader, TRACE_ID, [("tickets", "process *")], quiet_seconds=0)
    assert len(whole.spans) == 7


async def test_it_waits_until_nothing_more_arrives() -> None:
    with Arriving(1, 2, 3, 4, 5) as reader:
        whole = await wait_for_trace(reader, TRACE_ID, [("web", "*")], quiet_seconds=0.15)
    assert len(whole.spans) == 5


async def test_what_never_arrives_is_named_with_the_waterfall() -> None:
    with Arriving(3) as reader, pytest.raises(AssertionError) as failed:
        await wait_for_trace(reader, TRACE_ID, [("web", "*"), ("tickets", "process *")], timeout_seconds=0.3)
    assert "After 0.3 s the trace still lacks: tickets process *." in str(failed.value)
    assert "orders POST /orders" in str(failed.value)


async def test_a_trace_that_never_arrives_is_reported() -> None:
    with Arriving(0) as reader, pytest.raises(AssertionError, match=r"No trace after 0.2 s. .*does not know"):
        await wait_for_trace(reader, TRACE_ID, timeout_seconds=0.2)


async def test_a_store_that_is_not_there_is_reported() -> None:
    with TraceReader("http://127.0.0.1:1") as reader, pytest.raises(AssertionError, match="cannot be reached"):
        await wait_for_trace(reader, TRACE_ID, timeout_seconds=0.2)


async def test_a_span_that_arrives_late_over_http_is_waited_for(tmp_path: Path) -> None:
    with running_store(tmp_path) as store, TraceReader(store.url) as reader:
        telemetry = Telemetry(store.otlp_url)
        root = telemetry.span("web", "GET /")
        child = telemetry.span("catalog", "GET /events", root)
        child.end()
        telemetry.flush()
        early = await wait_for_trace(reader, trace_id_of(root), quiet_seconds=0)
        assert len(early.orphans) == 1, "the root has not ended yet"
        root.end()
        telemetry.close()
        assert_complete(await wait_for_trace(reader, trace_id_of(root), [("web", "GET /")], quiet_seconds=0))


async def test_what_a_test_asks_is_one_trace_that_it_can_assert_on(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("traceparent", ""))
        return httpx.Response(200)

    with running_store(tmp_path) as store:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://orders") as client:
            async with traced(client, store.url) as made:
                await client.post("/orders")
            await client.post("/orders")
        assert asked == [made.traceparent, ""]
        provider = TracerProvider(resource=Resource.create({"service.name": "orders"}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{store.otlp_url}/v1/traces")))
        tracer = provider.get_tracer("tracing.tests")
        with (
            tracer.start_as_current_span("POST /orders", context_of(asked[0])),
            tracer.start_as_current_span("orders.x"),
        ):
            pass
        provider.shutdown()
        tree = await made.wait(has=[("orders", "POST /orders")], quiet_seconds=0.2)
        tree.assert_path("orders POST /orders", "orders orders.x")
        tree.assert_complete()
        tree.assert_explained()


def test_a_gap_that_nobody_explains_fails() -> None:
    class Silent(TraceReader):
        def services(self) -> list[str]:
            return ["orders"]

        def search(self, *_anything: object, **_named: object) -> list[Trace]:
            return []

    lost = span("a", "gone", "orders orders.x")
    with pytest.raises(AssertionError, match="1 span of orders is missing"):
        assert_explained(trace(span("r", "", "web GET /"), lost), Silent("http://127.0.0.1:1"))
    with pytest.raises(AssertionError, match="It has 2 roots"):
        assert_explained(trace(span("r", "", "web GET /"), span("s", "", "web GET /")), Silent("http://127.0.0.1:1"))
