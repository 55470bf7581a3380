"""Making spans, and carrying their context through rows, headers and messages."""

import re
import traceback
from asyncio import CancelledError
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import time_ns
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tracing.process import process_traceparent

__all__ = [
    "context_of",
    "continued",
    "current_span_id",
    "current_trace_id",
    "current_traceparent",
    "inject",
    "late_span",
    "link_of",
    "link_to",
    "mark_failed",
    "note",
    "note_error",
    "process_traceparent",
    "span",
    "trace_id_of",
    "tracer",
]

_PROPAGATOR = TraceContextTextMapPropagator()
_OURS = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACER = trace.get_tracer("onsale")

Attributes = Mapping[str, Any]

# The category of errors for which the caller is not to blame: the request may have taken effect or not.
UNAVAILABLE = "unavailable"


def tracer() -> trace.Tracer:
    """The project's tracer. It follows the global provider, also when that is set later."""
    return _TRACER


@contextmanager
def span(
    name: str,
    attributes: Attributes | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] | None = None,
) -> Iterator[Span]:
    """A span around a block, child of the current one. An exception is noted (`note_error`) and goes on."""
    # OpenTelemetry must not note exceptions by itself: it would record their texts, which may quote what people typed.
    with _TRACER.start_as_current_span(
        name, kind=kind, attributes=attributes, links=links, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            note_error(current, error)
            raise


@contextmanager
def continued(
    name: str,
    traceparent: str | None,
    attributes: Attributes | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    repeated: bool = False,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """A span that joins the trace of `traceparent`, not the current one: for work that a row or a message remembers.

    A repetition (a retry, a redelivery, a replay) has the origin as a link as well, so that it is distinguished from the first try.
    """
    parent = context_of(traceparent)
    if repeated and (origin := link_of(traceparent, "repetition of")):
        links = [*links, origin]
    token = otel_context.attach(parent)
    try:
        with span(name, attributes, kind, links) as current:
            yield current
    finally:
        otel_context.detach(token)


def note(attributes: Attributes) -> None:
    """Adds to the current span what is only known by now. None values are left out."""
    trace.get_current_span().set_attributes({name: value for name, value in attributes.items() if value is not None})


def note_error(current: Span, error: BaseException) -> None:
    """Writes down what ended a span, without a text that may quote what people typed.

    A refusal (an error of the domain, with its stable `code`) is no failure: it is said in `onsale.refusal`. Anything else
    marks the span as failed and leaves its kind and its traceback; work that was cut off (a deadline, a caller who left) too.
    """
    if not current.is_recording():
        return
    code, category = getattr(error, "code", None), getattr(error, "category", None)
    if isinstance(code, str) and category not in {None, UNAVAILABLE}:
        current.set_attribute("onsale.refusal", code)
        return
    kind = type(error).__name__
    current.set_attribute("error.type", kind)
    if isinstance(error, CancelledError):
        mark_failed(current, "cut off: its deadline passed, or nobody waits for it any more")
        return
    if isinstance(error, Exception):
        frames = "".join(traceback.format_tb(error.__traceback__))
        current.add_event("exception", {"exception.type": kind, "exception.stacktrace": frames})
        mark_failed(current, code if isinstance(code, str) else kind)


def link_to(current: Span, traceparent: str | None, why: str) -> None:
    """Adds to a span a link to another one, which says why: "repetition of", "caused by"."""
    if link := link_of(traceparent, why):
        current.add_link(link.context, link.attributes)


def link_of(traceparent: str | None, why: str) -> Link | None:
    """The same, for a span that is yet to begin. None if there is nothing to link to."""
    origin = _context_in(traceparent)
    return Link(origin, {"onsale.link": why}) if origin.is_valid else None


def late_span(name: str, started_ns: int, attributes: Attributes | None = None) -> None:
    """A span for something that turned out to be worth one only after it was over (`started_ns`: epoch nanoseconds)."""
    if not trace.get_current_span().get_span_context().is_valid:
        return
    _TRACER.start_span(name, start_time=started_ns, attributes=attributes).end(time_ns())


def context_of(traceparent: str | None, tracestate: str | None = None) -> Context:
    """The context that a `traceparent` describes; an empty one if it is missing or malformed."""
    if not tracestate and traceparent is not None and (origin := _origin_of(traceparent)):
        return trace.set_span_in_context(NonRecordingSpan(origin), Context())
    carrier = {"traceparent": traceparent or "", "tracestate": tracestate or ""}
    return _PROPAGATOR.extract(carrier, context=Context())


def _origin_of(traceparent: str) -> SpanContext | None:
    """The span that a `traceparent` names as our own services write it; None for any other, which OpenTelemetry reads.

    Each row, message and call carries one: OpenTelemetry's own takes three times as long.
    """
    if not _OURS.fullmatch(traceparent):
        return None
    trace_id, span_id = int(traceparent[3:35], 16), int(traceparent[36:52], 16)
    if not (trace_id and span_id):
        return None
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(int(traceparent[53:], 16)))


def current_traceparent() -> str | None:
    """The current span as a W3C `traceparent`, None outside any trace."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return None
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags:02x}"


def inject(headers: dict[str, str]) -> dict[str, str]:
    """Adds `traceparent` (and `tracestate`) of the current span to the headers, and returns them."""
    _PROPAGATOR.inject(headers)
    return headers


def current_trace_id() -> str | None:
    """The current trace's id as 32 hex digits, None outside any trace."""
    return _hex_trace_id(trace.get_current_span().get_span_context())


def current_span_id() -> str | None:
    """The current span's id as 16 hex digits, None outside any trace."""
    current = trace.get_current_span().get_span_context()
    return f"{current.span_id:016x}" if current.is_valid else None


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id within a `traceparent`."""
    return _hex_trace_id(_context_in(traceparent))


def _context_in(traceparent: str | None) -> SpanContext:
    origin = _origin_of(traceparent) if traceparent else None
    return origin or trace.get_current_span(context_of(traceparent)).get_span_context()


def mark_failed(current: Span, reason: str) -> None:
    """Marks a span as failed with a reason that holds no personal data."""
    current.set_status(Status(StatusCode.ERROR, reason))


def _hex_trace_id(context: SpanContext) -> str | None:
    return f"{context.trace_id:032x}" if context.is_valid else None
