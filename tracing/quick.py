"""Spans that cost a third of the SDK's: at 100 % sampling a purchase records more than a hundred of them.

What is left out is what nothing here uses: locks (a span belongs to one task), values that are cleaned one by one, copies at the
end, metrics of the SDK about itself. A span stays one of the SDK's, so that its processors, exporters and tests take it.
"""

from collections.abc import Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, Tracer, TracerProvider
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

MOST_ATTRIBUTES = 128
MOST_EVENTS = 128
_UNSET = Status(StatusCode.UNSET)


class QuickProvider(TracerProvider):
    """A tracer provider of the SDK whose tracers make quick spans. Its sampler must follow the parent where there is one."""

    _quick: WeakKeyDictionary[trace.Tracer, "QuickTracer"]

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        """The same tracer for the same names."""
        tracer = super().get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if not isinstance(tracer, Tracer):
            return tracer  # OTEL_SDK_DISABLED
        if "_quick" not in self.__dict__:
            self._quick = WeakKeyDictionary()
        return self._quick.setdefault(tracer, QuickTracer(tracer))


class QuickSpan(SdkSpan):
    """A span for one task at a time."""

    def __init__(  # the SDK's own does too much, and is not called
        self,
        tracer: Tracer,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link],
        start_time: int,
    ) -> None:
        self._name = name
        self._context = context
        self._parent = parent
        self._kind = kind
        self._attributes: dict[str, Any] = dict(attributes) if attributes else {}
        self._events: list[Event] = []
        self._links: list[Link] = list(links)
        self._status = _UNSET
        self._start_time = start_time
        self._end_time: int | None = None
        self._resource = tracer.resource
        self._span_processor = tracer.span_processor
        self._instrumentation_info = tracer.instrumentation_info
        self._instrumentation_scope = tracer._instrumentation_scope  # noqa: SLF001  # it has no other name
        self._record_exception = self._set_status_on_exception = True

    def set_attribute(self, key: str, value: Any) -> None:
        """Sets an attribute, unless the span has ended or has 128 others."""
        if self._end_time is None and (len(self._attributes) < MOST_ATTRIBUTES or key in self._attributes):
            self._attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Sets several attributes."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Adds an event, unless the span has ended or has 128 others."""
        if self._end_time is None and len(self._events) < MOST_EVENTS:
            self._events.append(Event(name, attributes, timestamp))

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Adds a link to a span that is related without being the parent."""
        if self._end_time is None and context.is_valid:
            self._links.append(Link(context, attributes))

    def update_name(self, name: str) -> None:
        """Replaces the name by one that is known only later."""
        if self._end_time is None:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Sets the status, unless it is OK already: then it stays so."""
        wanted = status if isinstance(status, Status) else Status(status, description)
        stays = self._status.status_code is StatusCode.OK or wanted.status_code is StatusCode.UNSET
        if self._end_time is None and not stays:
            self._status = wanted

    def end(self, end_time: int | None = None) -> None:
        """Ends the span. It does not change any more, and is handed to the processor as it is."""
        if self._end_time is None:
            self._end_time = time_ns() if end_time is None else end_time
            self._span_processor.on_end(self)


class QuickTracer(trace.Tracer):
    """Makes quick spans for a tracer of the SDK."""

    def __init__(self, tracer: Tracer) -> None:
        self._of = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """A span that has begun. In a trace that is not recorded it is the parent's stand-in: it has no id of its own."""
        parent = trace.get_current_span(context).get_span_context()
        if not parent.is_valid:
            return self._root(name, context, kind, attributes, links or (), start_time)
        if not parent.trace_flags & TraceFlags.SAMPLED:
            return NonRecordingSpan(parent)
        own_id = self._of.id_generator.generate_span_id()
        own = SpanContext(parent.trace_id, own_id, False, parent.trace_flags, parent.trace_state)
        return self._begun(name, own, parent, kind, attributes, links or (), start_time, context)

    def _root(
        self,
        name: str,
        context: Context | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link],
        start_time: int | None,
    ) -> trace.Span:
        ids = self._of.id_generator
        trace_id = ids.generate_trace_id()
        decision = self._of.sampler.should_sample(context, trace_id, name, kind, attributes, links)
        flags = TraceFlags.SAMPLED if decision.decision is Decision.RECORD_AND_SAMPLE else TraceFlags.DEFAULT
        if ids.is_trace_id_random():
            flags |= TraceFlags.RANDOM_TRACE_ID
        own = SpanContext(trace_id, ids.generate_span_id(), False, TraceFlags(flags), decision.trace_state)
        if decision.decision is Decision.DROP:
            return NonRecordingSpan(own)
        return self._begun(name, own, None, kind, decision.attributes, links, start_time, context)

    def _begun(
        self,
        name: str,
        own: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link],
        start_time: int | None,
        context: Context | None,
    ) -> trace.Span:
        span = QuickSpan(self._of, name, own, parent, kind, attributes, links, start_time or time_ns())
        self._of.span_processor.on_start(span, parent_context=context)
        return span

    # A class instead of the SDK's two generators: entering and leaving is what most spans do.
    def start_as_current_span(  # type: ignore[override]
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> "_Current":
        """A span that is the current one within a `with`."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        return _Current(span, record_exception, set_status_on_exception, end_on_exit)


class _Current:
    """The block of a span."""

    __slots__ = ("_end", "_record", "_span", "_status", "_token")

    def __init__(self, span: trace.Span, record: bool, status: bool, end: bool) -> None:
        self._span = span
        self._record = record
        self._status = status
        self._end = end

    def __enter__(self) -> trace.Span:
        self._token = otel_context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        otel_context.detach(self._token)
        if isinstance(error, Exception) and self._span.is_recording():
            if self._record:
                self._span.record_exception(error)
            if self._status:
                self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        if self._end:
            self._span.end()
