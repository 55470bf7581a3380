"""All reading of the store. Every function takes a read-only connection and leaves it as it was."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from tracing.store.encode import document_of, value_json
from tracing.store.parameters import SpanQuery

STATUS_ERROR = 2
MAX_LINKS = 1_000
_LOOKS_ENCODED = re.compile(r"[-\d\[{]|true$|false$|inf$|nan$|$")  # may be no text in the span, but a number or a list
SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


@dataclass(frozen=True)
class ServiceShare:
    """How much of a trace belongs to one service."""

    name: str
    span_count: int
    error_count: int


@dataclass(frozen=True)
class Summary:
    """A trace in one line. Times are nanoseconds since the epoch."""

    trace_id: str
    root_service: str
    root_name: str
    start_ns: int
    end_ns: int
    span_count: int
    error_count: int
    orphan_count: int
    services: tuple[ServiceShare, ...]


@dataclass(frozen=True)
class Dependency:
    """One service calls another: how often, and how often that failed on the side of the one that is called."""

    parent: str
    child: str
    calls: int
    errors: int


@dataclass(frozen=True)
class LinkedFrom:
    """A span that links to another one."""

    trace_id: str
    span_id: str
    service: str
    name: str


def services(reads: sqlite3.Connection) -> list[str]:
    """Names of all services, sorted."""
    return [row[0] for row in reads.execute("SELECT DISTINCT service FROM span ORDER BY service")]


def operations(reads: sqlite3.Connection, service: str, kind: str = "") -> list[tuple[str, str]]:
    """(name, kind) of the spans of a service, sorted; `kind` "" for all kinds."""
    found = reads.execute("SELECT DISTINCT name, kind FROM span WHERE service = ? ORDER BY name, kind", (service,))
    named = [(row[0], kind_name(row[1])) for row in found]
    return [(name, of_kind) for name, of_kind in named if kind in ("", of_kind)]


def kind_name(kind: int) -> str:
    """As Jaeger writes it; a span that says nothing is an internal one."""
    return SPAN_KINDS[kind] if 0 < kind < len(SPAN_KINDS) else "internal"


def traces(reads: sqlite3.Connection, trace_ids: Iterable[str]) -> dict[str, Any] | None:
    """The traces in one OTLP JSON document, or None if none of them is known."""
    rows: list[tuple[int, bytes]] = []
    for trace_id in trace_ids:
        found = reads.execute("SELECT origin_id, body FROM span WHERE trace_id = ? ORDER BY start_ns", (trace_id,))
        rows.extend((row[0], row[1]) for row in found)
    if not rows:
        return None
    origins = {
        origin_id: reads.execute("SELECT body FROM origin WHERE origin_id = ?", (origin_id,)).fetchone()[0]
        for origin_id in {origin_id for origin_id, _ in rows}
    }
    return document_of(rows, origins)


def find(reads: sqlite3.Connection, query: SpanQuery) -> list[str]:
    """Ids of the traces in which one span fits the query, the latest first."""
    conditions, values = _conditions(query)
    origins_with = _origins_with(reads, query.attributes)
    for key, value in query.attributes.items():
        condition, more = _attribute_condition(key, value, origins_with[key])
        conditions.append(condition)
        values.extend(more)
    rows = reads.execute(
        f"SELECT trace_id, origin_id, body FROM span WHERE {' AND '.join(conditions)} ORDER BY start_ns DESC",  # noqa: S608 - conditions are constants
        values,
    )
    found: dict[str, None] = {}
    for trace_id, origin_id, body in rows:
        if trace_id not in found and _fits(body, origin_id, query.attributes, origins_with):
            found[trace_id] = None
            if len(found) == query.depth:
                break
    return list(found)


def summaries(reads: sqlite3.Connection, trace_ids: Iterable[str]) -> list[Summary]:
    """One line for each trace, those that started last first."""
    found = [_summary(reads, trace_id) for trace_id in trace_ids]
    return sorted(found, key=lambda summary: summary.start_ns, reverse=True)


def dependencies(reads: sqlite3.Connection, start_min_ns: int, start_max_ns: int) -> list[Dependency]:
    """Who called whom, of calls that started in the time given."""
    found = reads.execute(
        "SELECT parent.service, child.service, count(*), sum(child.status = 2) FROM span AS child"
        " JOIN span AS parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_id"
        " WHERE child.start_ns BETWEEN ? AND ? AND parent.service <> child.service GROUP BY 1, 2 ORDER BY 1, 2",
        (start_min_ns, start_max_ns),
    )
    return [Dependency(*row) for row in found]


def links_to(reads: sqlite3.Connection, trace_id: str) -> dict[str, list[LinkedFrom]]:
    """What links to the spans of a trace, by the id of the span that is linked to."""
    found = reads.execute(
        "SELECT linked_span_id, span.trace_id, span.span_id, span.service, span.name FROM link"
        " JOIN span ON span.trace_id = link.trace_id AND span.span_id = link.span_id"
        " WHERE linked_trace_id = ? ORDER BY span.start_ns LIMIT ?",
        (trace_id, MAX_LINKS),
    )
    linked: dict[str, list[LinkedFrom]] = {}
    for target, *source in found:
        linked.setdefault(target, []).append(LinkedFrom(*source))
    return linked


def span_count(reads: sqlite3.Connection) -> int:
    """How many spans are stored."""
    count: int = reads.execute("SELECT count(*) FROM span").fetchone()[0]
    return count


def _summary(reads: sqlite3.Connection, trace_id: str) -> Summary:
    spans = reads.execute(
        "SELECT span_id, parent_id, service, name, start_ns, end_ns, status FROM span"
        " WHERE trace_id = ? ORDER BY start_ns, end_ns DESC",
        (trace_id,),
    ).fetchall()
    ids = {span["span_id"] for span in spans}
    top = next((span for span in spans if not span["parent_id"]), spans[0])
    shares: dict[str, list[int]] = {}
    for span in spans:
        share = shares.setdefault(span["service"], [0, 0])
        share[0] += 1
        share[1] += span["status"] == STATUS_ERROR
    return Summary(
        trace_id=trace_id,
        root_service=top["service"],
        root_name=top["name"],
        start_ns=spans[0]["start_ns"],
        end_ns=max(max(span["start_ns"], span["end_ns"]) for span in spans),
        span_count=len(spans),
        error_count=sum(share[1] for share in shares.values()),
        orphan_count=sum(1 for span in spans if span["parent_id"] and span["parent_id"] not in ids),
        services=tuple(ServiceShare(name, *share) for name, share in shares.items()),
    )


def _conditions(query: SpanQuery) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        ("start_ns >= ?", query.start_min_ns),
        ("start_ns <= ?", query.start_max_ns),
        ("service = ?", query.service),
        ("name = ?", query.operation),
        ("end_ns - start_ns >= ?", query.duration_min_ns),
        ("end_ns - start_ns <= ?", query.duration_max_ns),
    ]
    asked = [(condition, value) for condition, value in wanted if value is not None]
    return [condition for condition, _ in asked], [value for _, value in asked]


def _attribute_condition(key: str, value: str, origin_ids: set[int]) -> tuple[str, list[Any]]:
    """A coarse sieve in SQL: keys and texts stand in the span's bytes as they are; `_fits` looks closer."""
    if key == "error":
        return f"(status = {STATUS_ERROR}) = ?", [value.lower() == "true"]
    if key == "span.kind":
        return "max(kind, 1) = ?", [SPAN_KINDS.index(value) if value in SPAN_KINDS else -1]
    numbers = ",".join(str(origin_id) for origin_id in origin_ids)
    needles = [key.encode()] if _LOOKS_ENCODED.match(value) else [key.encode(), value.encode()]
    contained = " AND ".join("instr(body, ?) > 0" for _ in needles)
    return f"({contained} OR origin_id IN ({numbers}))", needles


def _fits(body: bytes, origin_id: int, wanted: Mapping[str, str], origins_with: Mapping[str, set[int]]) -> bool:
    keys = [key for key in wanted if key not in ("error", "span.kind") and origin_id not in origins_with[key]]
    if not keys:
        return True
    span = Span.FromString(body)
    events = [attribute for event in span.events for attribute in event.attributes]
    found = {(item.key, _text(item.value)) for item in (*span.attributes, *events)}
    return all((key, wanted[key]) in found for key in keys)


def _origins_with(reads: sqlite3.Connection, wanted: Mapping[str, str]) -> dict[str, set[int]]:
    """For each attribute the origins whose resource has it with this value."""
    matching: dict[str, set[int]] = {key: set() for key in wanted}
    if wanted:
        for origin_id, body in reads.execute("SELECT origin_id, body FROM origin"):
            for item in ResourceSpans.FromString(body).resource.attributes:
                if item.key in wanted and _text(item.value) == wanted[item.key]:
                    matching[item.key].add(origin_id)
    return matching


def _text(value: Any) -> str:
    """A value as it is written in a query: true, 42, 0.5, text."""
    written = next(iter(value_json(value).values()), "")
    return str(written).lower() if isinstance(written, bool) else str(written)
