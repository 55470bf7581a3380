"""A process's own life as a short trace: `start <service>` when it begins, `stop <service>` when it ends in good order.

Whoever misses spans can then tell why: a process that was followed by another one and never said `stop` died, and took along
what it had not sent. Log lines that belong to no request carry the ids of `start`, so that every line leads to a trace.
"""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.util.types import Attributes

from tracing.quick import QuickProvider

LIFECYCLE = "onsale.lifecycle"


@dataclass
class _Life:
    """The ids of this process's first span. They are known before it can be made: whoever logs early needs them."""

    trace_id: int
    span_id: int
    is_recorded: bool = False
    is_being_recorded: bool = False


_RANDOM = RandomIdGenerator()
_lives: list[_Life] = []
# A forked process is another one.
os.register_at_fork(after_in_child=_lives.clear)


def process_context() -> SpanContext:
    """The span with which this process began, also before it was made."""
    life = _life()
    return SpanContext(life.trace_id, life.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def process_traceparent() -> str:
    """The same as a W3C `traceparent`: for log lines outside of any trace."""
    life = _life()
    return f"00-{life.trace_id:032x}-{life.span_id:016x}-01"


class OwnLife(QuickProvider):
    """A tracer provider whose process says that it started, and, when the provider is shut down, that it stopped.

    `stop` is the last span that is sent: where it is, no span of the process is missing.
    """

    _service: str | None = None
    _began: SpanContext
    _sending: threading.Thread | None = None

    def begin(self, service: str) -> None:
        """Tells the start. The first service of a process has the process's own ids; more than one happen in tests."""
        life = _life()
        life.is_being_recorded = not life.is_recorded
        try:
            span = self.get_tracer("onsale").start_span(f"start {service}", Context(), attributes={LIFECYCLE: "start"})
        finally:
            life.is_being_recorded = False
        life.is_recorded = True
        span.end()
        self._service, self._began = service, span.get_span_context()
        # Now, and not with the next batch: a process that dies young must have been known.
        self._sending = threading.Thread(target=self.force_flush, name="send start", daemon=True)
        self._sending.start()

    def wait_until_known(self, seconds: float) -> bool:
        """Waits until the start is sent, not longer than this: what comes next may kill the process. Whether it was sent."""
        if self._sending is None:
            return False
        self._sending.join(seconds)
        return not self._sending.is_alive()

    def shutdown(self) -> None:
        """Tells the stop, and sends what is left."""
        service, self._service = self._service, None
        if service is not None:
            parent = trace.set_span_in_context(NonRecordingSpan(self._began), Context())
            self.get_tracer("onsale").start_span(f"stop {service}", parent, attributes={LIFECYCLE: "stop"}).end()
        super().shutdown()


class LifeIds(RandomIdGenerator):
    """Random ids, but for the span that tells the start of the process."""

    def generate_trace_id(self) -> int:
        """An id for a new trace."""
        life = _life()
        return life.trace_id if life.is_being_recorded else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """An id for a new span."""
        life = _life()
        return life.span_id if life.is_being_recorded else super().generate_span_id()


class LifeSampler(Sampler):
    """Decides as another sampler does, but keeps the spans of the process's own life: they explain what others lack."""

    def __init__(self, others: Sampler) -> None:
        self._others = others

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Whether a span is recorded."""
        if attributes and LIFECYCLE in attributes:
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """What the sampler is called, for people."""
        return f"LifeSampler{{{self._others.get_description()}}}"


def _life() -> _Life:
    if not _lives:
        _lives.append(_Life(_RANDOM.generate_trace_id(), _RANDOM.generate_span_id()))
    return _lives[0]
