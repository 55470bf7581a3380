"""Several services in one process: each span says which of them made it, and all leave through one exporter.

A service that has its process for itself needs nothing of this: its provider is the global one.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from tracing.quick import QuickProvider


@dataclass(frozen=True, slots=True)
class Part:
    """A service of this process: its name in log lines, and what makes its spans."""

    name: str
    tracer: trace.Tracer


# The service whose work is being done; None in a process that has only one.
current_part: ContextVar[Part | None] = ContextVar("current_part", default=None)


class SharedProvider(TracerProvider):
    """The global provider of such a process. Its tracers ask the service whose work is being done."""

    def __init__(self, processor: SpanProcessor | None) -> None:
        super().__init__(shutdown_on_exit=False)
        self._processor = processor
        self._others = QuickProvider(shutdown_on_exit=False).get_tracer("onsale")

    def get_tracer(self, *_names: Any, **_more: Any) -> trace.Tracer:
        """The one that chooses."""
        return _ChoosingTracer(self._others)

    def lent(self) -> SpanProcessor | None:
        """The processor for the spans of one service, which others use after that one has ended."""
        return _Lent(self._processor) if self._processor else None

    def shutdown(self) -> None:
        """Sends what is left, once all services have ended."""
        if self._processor is not None:
            self._processor.shutdown()
        super().shutdown()


class _Lent(SpanProcessor):
    def __init__(self, processor: SpanProcessor) -> None:
        self._processor = processor

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        self._processor.on_end(span)

    def shutdown(self) -> None:
        self.force_flush()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._processor.force_flush(timeout_millis)


class _ChoosingTracer(trace.Tracer):
    def __init__(self, others: trace.Tracer) -> None:
        self._others = others

    def _chosen(self) -> trace.Tracer:
        part = current_part.get()
        return part.tracer if part is not None else self._others

    def start_span(self, *given: Any, **more: Any) -> trace.Span:
        return self._chosen().start_span(*given, **more)

    def start_as_current_span(self, *given: Any, **more: Any) -> Any:
        return self._chosen().start_as_current_span(*given, **more)
