"""A trace in Jaeger's older JSON, which `GET /api/traces/{id}` still gives and many tools still read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tracing.model import Attributes, AttributeValue, Span, Trace

Json = dict[str, Any]


def structured(data: list[Any]) -> Json:
    """The envelope of every answer of the older API."""
    return {"data": data, "total": 0, "limit": 0, "offset": 0, "errors": None}


def legacy_trace(trace: Trace) -> Json:
    """Times in microseconds; processes are the resources, numbered as they appear."""
    processes: dict[bytes, str] = {}
    described: Json = {}
    spans = []
    for span in trace.spans:
        key = orjson.dumps([span.service, span.resource])
        if key not in processes:
            processes[key] = f"p{len(processes) + 1}"
            tags = [_tag(name, value) for name, value in span.resource.items() if name != "service.name"]
            described[processes[key]] = {"serviceName": span.service, "tags": tags}
        spans.append(_span(span, processes[key], trace.is_orphan(span)))
    return {"traceID": trace.trace_id, "spans": spans, "processes": described, "warnings": None}


def _span(span: Span, process: str, orphan: bool) -> Json:
    parent = [_reference("CHILD_OF", span.trace_id, span.parent_id)] if span.parent_id else []
    links = [_reference("FOLLOWS_FROM", link.trace_id, link.span_id) for link in span.links]
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": parent + links,
        "startTime": span.start_ns // 1_000,
        "duration": span.duration_ns // 1_000,
        "tags": [*_tags(span.attributes), *_tags(_own_tags(span))],
        "logs": [
            {"timestamp": event.time_ns // 1_000, "fields": _tags({"event": event.name, **event.attributes})}
            for event in span.events
        ],
        "processID": process,
        "warnings": [f"invalid parent span ID {span.parent_id}; the parent is not in the trace"] if orphan else None,
    }


def _own_tags(span: Span) -> dict[str, AttributeValue]:
    """What OTLP has as fields of the span and the older form has as tags."""
    tags: dict[str, AttributeValue] = {"span.kind": span.kind}
    if span.scope:
        tags["otel.scope.name"] = span.scope
    if span.status.code != "unset":
        tags["otel.status_code"] = span.status.code.upper()
    if span.status.message:
        tags["otel.status_description"] = span.status.message
    if span.is_error:
        tags["error"] = True
    return tags


def _reference(kind: str, trace_id: str, span_id: str) -> Json:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _tags(attributes: Attributes) -> Iterable[Json]:
    return [_tag(key, value) for key, value in attributes.items()]


def _tag(key: str, value: AttributeValue) -> Json:
    match value:
        case bool():
            return {"key": key, "type": "bool", "value": value}
        case int():
            return {"key": key, "type": "int64", "value": value}
        case float():
            return {"key": key, "type": "float64", "value": value}
        case str():
            return {"key": key, "type": "string", "value": value}
        case _:
            return {"key": key, "type": "string", "value": orjson.dumps(value).decode()}
