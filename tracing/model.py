"""A trace as people think of it: spans in a tree, with services, orphans and links.

Everything here is made from OTLP JSON, the form in which both a Jaeger and the dev trace store hand a trace out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

AttributeValue = str | bool | int | float | None | list[Any] | dict[str, Any]
Attributes = Mapping[str, AttributeValue]


@dataclass(frozen=True)
class Event:
    """Something that happened at one moment within a span; `time_ns` since the epoch."""

    name: str
    time_ns: int
    attributes: Attributes


@dataclass(frozen=True)
class Link:
    """A span that is related without being the parent: what a batch or a replay came from."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True)
class Status:
    """`code` is "unset", "ok" or "error"; `message` says what went wrong."""

    code: str = "unset"
    message: str = ""


@dataclass(frozen=True)
class Span:
    """One timed step of one service. Times are nanoseconds since the epoch; `parent_id` is "" for a root."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    service: str
    start_ns: int
    end_ns: int
    attributes: Attributes = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    status: Status = Status()
    resource: Attributes = field(default_factory=dict)
    scope: str = ""

    @property
    def duration_ns(self) -> int:
        """Never negative: a clock that was set back makes a span of no length."""
        return max(0, self.end_ns - self.start_ns)

    @property
    def is_error(self) -> bool:
        """Whether the service itself marked the span as failed."""
        return self.status.code == "error"


@dataclass(frozen=True)
class Trace:
    """All spans known of one trace, by start. A span that arrives later belongs to a later reading of it."""

    trace_id: str
    spans: tuple[Span, ...]

    @cached_property
    def _by_id(self) -> dict[str, Span]:
        return {span.span_id: span for span in self.spans}

    @cached_property
    def _children(self) -> dict[str, list[Span]]:
        children: dict[str, list[Span]] = defaultdict(list)
        for span in self.spans:
            if span.parent_id:
                children[span.parent_id].append(span)
        return children

    @cached_property
    def roots(self) -> tuple[Span, ...]:
        """Spans that name no parent; a whole trace has one."""
        return tuple(span for span in self.spans if not span.parent_id)

    @cached_property
    def orphans(self) -> tuple[Span, ...]:
        """Spans whose parent is not in the trace: not arrived yet, never sent, or lost."""
        return tuple(span for span in self.spans if self.is_orphan(span))

    @cached_property
    def errors(self) -> tuple[Span, ...]:
        """Spans that their service marked as failed."""
        return tuple(span for span in self.spans if span.is_error)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Names of the services, in the order in which they appear in the tree."""
        return tuple(dict.fromkeys(span.service for _, span in self.walk()))

    @property
    def start_ns(self) -> int:
        """When the first span starts."""
        return min((span.start_ns for span in self.spans), default=0)

    @property
    def end_ns(self) -> int:
        """When the last span ends."""
        return max((max(span.start_ns, span.end_ns) for span in self.spans), default=0)

    @property
    def duration_ns(self) -> int:
        """From the first start to the last end, consumers after the answer included."""
        return self.end_ns - self.start_ns

    def get(self, span_id: str) -> Span | None:
        """The span with this id, or None."""
        return self._by_id.get(span_id)

    def is_orphan(self, span: Span) -> bool:
        """Whether the span names a parent that is not in the trace."""
        return bool(span.parent_id) and span.parent_id not in self._by_id

    def children_of(self, span: Span) -> Sequence[Span]:
        """The direct children, by start."""
        return self._children.get(span.span_id, [])

    def ancestors_of(self, span: Span) -> Iterator[Span]:
        """Parent, grandparent and so on, as far as they are known."""
        seen = {span.span_id}
        current = self.get(span.parent_id)
        while current is not None and current.span_id not in seen:
            seen.add(current.span_id)
            yield current
            current = self.get(current.parent_id)

    def walk(self) -> Iterator[tuple[int, Span]]:
        """Every span once, with its depth: roots and orphans by start, each before its children.

        Spans that name each other as parents in a circle come last, so that broken data is seen and not lost.
        """
        seen: set[str] = set()
        tops = sorted((*self.roots, *self.orphans), key=lambda span: span.start_ns)
        for top in (*tops, *self.spans):
            stack = [(0, top)]
            while stack:
                depth, span = stack.pop()
                if span.span_id in seen:
                    continue
                seen.add(span.span_id)
                yield depth, span
                stack.extend((depth + 1, child) for child in reversed(self.children_of(span)))


def traces_from_otlp(document: Mapping[str, Any]) -> list[Trace]:
    """The traces in an OTLP JSON document (`{"resourceSpans": [...]}`), those that started last first.

    A span that is there twice (an exporter that repeated itself) counts once. Raises ValueError for another shape.
    """
    spans: dict[str, dict[str, Span]] = defaultdict(dict)
    try:
        for group in document.get("resourceSpans", ()):
            resource = _attributes(group.get("resource", {}))
            for scoped in group.get("scopeSpans", ()):
                for raw in scoped.get("spans", ()):
                    span = _span(raw, resource, scoped.get("scope", {}).get("name", ""))
                    spans[span.trace_id].setdefault(span.span_id, span)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"This is not OTLP JSON: {type(error).__name__} {error}") from error
    traces = [
        Trace(trace_id, tuple(sorted(members.values(), key=lambda span: (span.start_ns, -span.end_ns))))
        for trace_id, members in spans.items()
    ]
    return sorted(traces, key=lambda trace: trace.start_ns, reverse=True)


def _span(raw: Mapping[str, Any], resource: Attributes, scope: str) -> Span:
    status = raw.get("status", {})
    return Span(
        trace_id=raw["traceId"],
        span_id=raw["spanId"],
        parent_id=raw.get("parentSpanId", ""),
        name=raw.get("name", ""),
        kind=_enumerated(raw.get("kind", 0), KINDS, "SPAN_KIND_"),
        service=str(resource.get("service.name", "unknown_service")),
        start_ns=int(raw.get("startTimeUnixNano", 0)),
        end_ns=int(raw.get("endTimeUnixNano", 0)),
        attributes=_attributes(raw),
        events=tuple(
            Event(event.get("name", ""), int(event.get("timeUnixNano", 0)), _attributes(event))
            for event in raw.get("events", ())
        ),
        links=tuple(Link(link["traceId"], link["spanId"], _attributes(link)) for link in raw.get("links", ())),
        status=Status(_enumerated(status.get("code", 0), STATUSES, "STATUS_CODE_"), status.get("message", "")),
        resource=resource,
        scope=scope,
    )


def _enumerated(value: int | str, names: Sequence[str], prefix: str) -> str:
    """Enumerations travel as numbers, or (allowed by protobuf's JSON) as names."""
    if isinstance(value, int):
        return names[value] if 0 <= value < len(names) else names[0]
    return value.removeprefix(prefix).lower()


def _attributes(holder: Mapping[str, Any]) -> dict[str, AttributeValue]:
    return {item["key"]: _value(item.get("value", {})) for item in holder.get("attributes", ())}


def _value(value: Mapping[str, Any]) -> AttributeValue:
    if "intValue" in value:
        return int(value["intValue"])
    if "arrayValue" in value:
        return [_value(item) for item in value["arrayValue"].get("values", ())]
    if "kvlistValue" in value:
        return {item["key"]: _value(item.get("value", {})) for item in value["kvlistValue"].get("values", ())}
    return next(iter(value.values()), None)


def human_duration(duration_ns: int) -> str:
    """Three digits and a unit that people read at a glance: `1.23 s`, `412 ms`, `56.0 µs`."""
    for unit, size_ns in (("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)):
        if duration_ns >= size_ns:
            value = duration_ns / size_ns
            decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
            return f"{value:.{decimals}f} {unit}"
    return f"{duration_ns} ns"


def notes_of(span: Span) -> list[str]:
    """What people should not miss: which attempt of a call this is, which delivery of a message, why a request was refused."""
    notes = []
    for key, value in span.attributes.items():
        last = key.rpartition(".")[2]
        if last == "resend_count" and isinstance(value, int):
            notes.append(f"attempt {value + 1}")
        elif last in ("attempt", "delivery", "delivery_count"):
            notes.append(f"{last.removesuffix('_count')} {value}")
        elif last == "refusal":
            notes.append(f"refused: {value}")
    return notes
