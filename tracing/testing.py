"""A pytest plugin: the spans that the process under test made, as a trace that one can look at and assert on."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import Attributes

from tracing.model import Event, Link, Span, Status


class Kept:
    """Spans that ended since the fixture began."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def spans(self) -> list[Span]:
        """All of them, in the order of their ends."""
        return [span_of(each) for each in self._exporter.get_finished_spans()]

    def named(self, name: str) -> list[Span]:
        """Those with this name."""
        return [span for span in self.spans if span.name == name]

    def the(self, name: str) -> Span:
        """The only one with this name."""
        found = self.named(name)
        assert len(found) == 1, (
            f"{len(found)} spans are named {name!r}; there are {sorted({s.name for s in self.spans})}"
        )
        return found[0]

    def as_text(self) -> str:
        """Everything that they tell, to search for what must not be in them."""
        return "\n".join(repr(span) for span in self.spans)


@pytest.fixture
def kept_spans() -> Iterator[Kept]:
    """What the process's spans are, from now until the end of the test."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Kept(exporter)
    exporter.shutdown()


def span_of(made: ReadableSpan) -> Span:
    """A span of the SDK as the trace reader would give it."""
    context, parent = made.context, made.parent
    return Span(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_id=f"{parent.span_id:016x}" if parent else "",
        name=made.name,
        kind=made.kind.name.lower(),
        service=str(made.resource.attributes.get("service.name", "unknown_service")),
        start_ns=made.start_time or 0,
        end_ns=made.end_time or 0,
        attributes=_plain(made.attributes),
        events=tuple(Event(each.name, each.timestamp, _plain(each.attributes)) for each in made.events),
        links=tuple(
            Link(f"{each.context.trace_id:032x}", f"{each.context.span_id:016x}", _plain(each.attributes))
            for each in made.links
        ),
        status=Status(made.status.status_code.name.lower(), made.status.description or ""),
        resource=_plain(made.resource.attributes),
    )


def _plain(attributes: Attributes) -> Mapping[str, Any]:
    return dict(attributes or {})
