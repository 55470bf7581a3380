"""Quick spans and their encoding, held to the SDK's own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from tracing.encoding import encode
from tracing.quick import MOST_ATTRIBUTES, MOST_EVENTS, QuickProvider, QuickSpan

VALUES: list[Any] = [
    "text", "ä票", "", "x" * 5_000, True, False, 0, 1, -1, 127, 128, 2**53 + 1, -(2**63), 2**63 - 1, 0.0, 1.0, -0.25, 1e300,
    ["a", "b"], [1, 2], [True, False], [0.5], [], b"bytes",
]  # fmt: skip


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Iterator[trace.Tracer]:
    provider = quick(spans)
    yield provider.get_tracer("tests", "1")
    provider.shutdown()


def quick(spans: InMemorySpanExporter, **how: Any) -> QuickProvider:
    provider = QuickProvider(resource=Resource.create({"service.name": "orders"}), **how)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


def written(tracer: trace.Tracer, seed: int) -> None:
    """Spans with everything that a span may have, the same for the same seed but for ids."""
    dice = random.Random(seed)  # noqa: S311  # the same for the same seed
    elsewhere = SpanContext(dice.getrandbits(128), dice.getrandbits(64), True, TraceFlags(1), TraceState([("k", "v")]))
    parent = trace.set_span_in_context(NonRecordingSpan(elsewhere), Context())
    for kind in SpanKind:
        for context in (Context(), parent):
            span = tracer.start_span(
                f"{kind.name} ü", context, kind, {"given": "early"}, [Link(elsewhere, {"why": "replay"})]
            )
            span.set_attributes({f"key.{number}": value for number, value in enumerate(dice.sample(VALUES, 12))})
            span.add_event("timed out", {"waited_ms": 900}, timestamp=17)
            span.add_event("bare", timestamp=18)
            span.add_link(elsewhere)
            span.set_status(Status(dice.choice([StatusCode.ERROR, StatusCode.UNSET]), None))
            span.update_name(span.name + "!" if isinstance(span, SdkSpan) else "")
            span.end()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("provider", [QuickProvider, TracerProvider])
def test_the_bytes_say_what_those_of_the_stock_encoder_say(
    spans: InMemorySpanExporter, provider: type[TracerProvider], seed: int
) -> None:
    for name in ("orders", "web"):
        made = provider(resource=Resource.create({"service.name": name, "many": [1, 2]}))
        made.add_span_processor(SimpleSpanProcessor(spans))
        written(made.get_tracer("tests", "1", "https://schema.test/1", {"scope": "attribute"}), seed)
        written(made.get_tracer("others"), seed)
        made.shutdown()
        spans._stopped = False
    found = spans.get_finished_spans()
    assert len(found) == 40
    stock = ExportTraceServiceRequest.FromString(encode_spans(found).SerializeToString())
    ours = ExportTraceServiceRequest.FromString(encode(found))
    assert by_ids(ours) == by_ids(stock)


def by_ids(request: ExportTraceServiceRequest) -> dict[Any, Any]:
    """Groups may come in another order, and those of one resource apart."""
    return {
        (span.trace_id, span.span_id): (group.resource, group.schema_url, scoped.scope, scoped.schema_url, span)
        for group in request.resource_spans
        for scoped in group.scope_spans
        for span in scoped.spans
    }


@pytest.mark.parametrize("value", [{"a": {"b": 1}}, 2**70, object])
def test_a_value_of_no_known_kind_does_not_lose_the_batch(
    tracer: trace.Tracer, spans: InMemorySpanExporter, value: Any
) -> None:
    tracer.start_span("odd", attributes={"odd": value, "none": None, "good": 1}).end()
    (read,) = (
        ExportTraceServiceRequest.FromString(encode(spans.get_finished_spans())).resource_spans[0].scope_spans[0].spans
    )
    assert [pair.key for pair in read.attributes] == ["odd", "good"]


def test_half_a_letter_does_not_lose_the_batch(tracer: trace.Tracer, spans: InMemorySpanExporter) -> None:
    tracer.start_span("\ud800", attributes={"text": "\ud800"}).end()
    assert ExportTraceServiceRequest.FromString(encode(spans.get_finished_spans())).resource_spans


def test_a_span_is_the_child_of_the_current_one(tracer: trace.Tracer, spans: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("above") as above:
        assert trace.get_current_span() is above
        with tracer.start_as_current_span("beneath"):
            pass
    assert not trace.get_current_span().get_span_context().is_valid
    beneath, top = spans.get_finished_spans()
    assert (beneath.parent, top.parent) == (top.context, None)
    assert beneath.context.trace_id == top.context.trace_id
    assert isinstance(above, QuickSpan)


def test_an_exception_ends_the_span_and_marks_it(tracer: trace.Tracer, spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="no"), tracer.start_as_current_span("fails"):
        raise ValueError("no")
    with (
        pytest.raises(ValueError, match="no"),
        tracer.start_as_current_span("quiet", record_exception=False, set_status_on_exception=False),
    ):
        raise ValueError("no")
    fails, quiet = spans.get_finished_spans()
    assert (fails.status.status_code, fails.status.description) == (StatusCode.ERROR, "ValueError: no")
    assert [event.name for event in fails.events] == ["exception"]
    assert (quiet.status.status_code, quiet.events) == (StatusCode.UNSET, ())


def test_what_is_said_after_the_end_is_not_heard(tracer: trace.Tracer, spans: InMemorySpanExporter) -> None:
    span = tracer.start_span("over")
    span.end(5)
    span.set_attribute("late", 1)
    span.add_event("late")
    span.set_status(Status(StatusCode.ERROR))
    span.update_name("late")
    span.end(6)
    (read,) = spans.get_finished_spans()
    assert (read.name, dict(read.attributes or {}), read.events, read.end_time) == ("over", {}, (), 5)
    assert read.status.status_code is StatusCode.UNSET


def test_a_span_stays_bounded(tracer: trace.Tracer, spans: InMemorySpanExporter) -> None:
    span = tracer.start_span("large")
    for number in range(1_000):
        span.set_attribute(f"key.{number}", number)
        span.add_event("again")
    span.set_attribute("key.0", "known")
    span.end()
    (read,) = spans.get_finished_spans()
    assert (len(read.attributes or {}), len(read.events)) == (MOST_ATTRIBUTES, MOST_EVENTS)
    assert (read.attributes or {})["key.0"] == "known"


def test_a_trace_that_is_not_sampled_costs_no_span_and_carries_on(spans: InMemorySpanExporter) -> None:
    tracer = quick(spans, sampler=ParentBased(ALWAYS_OFF)).get_tracer("tests")
    with tracer.start_as_current_span("root") as root, tracer.start_as_current_span("child") as child:
        assert not child.is_recording()
        assert child.get_span_context().trace_id == root.get_span_context().trace_id != 0
        assert not child.get_span_context().trace_flags.sampled
    assert spans.get_finished_spans() == ()


@pytest.mark.parametrize("flag", [0, 1])
def test_a_parent_decides_for_its_children(spans: InMemorySpanExporter, flag: int) -> None:
    tracer = quick(spans, sampler=ParentBased(ALWAYS_OFF if flag else ALWAYS_ON)).get_tracer("tests")
    caller = NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(flag)))
    tracer.start_span("called", trace.set_span_in_context(caller, Context())).end()
    assert len(spans.get_finished_spans()) == flag


def test_a_tracer_is_made_once_for_a_name() -> None:
    provider = QuickProvider()
    assert provider.get_tracer("a") is provider.get_tracer("a")
    assert provider.get_tracer("a") is not provider.get_tracer("b")
    provider.shutdown()


def test_tracing_can_be_switched_off_as_in_the_sdk(
    monkeypatch: pytest.MonkeyPatch, spans: InMemorySpanExporter
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with quick(spans).get_tracer("tests").start_as_current_span("nothing") as span:
        assert not span.is_recording()
