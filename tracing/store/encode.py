"""Spans as OTLP JSON: ids in hexadecimal, 64-bit numbers as strings, enumerations as numbers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

Json = dict[str, Any]


def document_of(rows: Iterable[tuple[int, bytes]], origins: dict[int, bytes]) -> Json:
    """`{"resourceSpans": [...]}` of spans, each (origin id, protobuf), under the resource and scope they came from."""
    groups: dict[int, list[Json]] = {}
    for origin_id, body in rows:
        groups.setdefault(origin_id, []).append(span_json(Span.FromString(body)))
    return {"resourceSpans": [_group(origins[origin_id], spans) for origin_id, spans in groups.items()]}


def _group(origin: bytes, spans: list[Json]) -> Json:
    group = ResourceSpans.FromString(origin)
    scoped = group.scope_spans[0]
    scope: Json = _without_empty(
        {
            "name": scoped.scope.name,
            "version": scoped.scope.version,
            "attributes": _attributes(scoped.scope.attributes),
        }
    )
    return _without_empty(
        {
            "resource": {"attributes": _attributes(group.resource.attributes)},
            "scopeSpans": [_without_empty({"scope": scope, "spans": spans, "schemaUrl": scoped.schema_url})],
            "schemaUrl": group.schema_url,
        }
    )


def span_json(span: Span) -> Json:
    """One span; what is empty is left out, as protobuf's JSON does."""
    return _without_empty(
        {
            "traceId": span.trace_id.hex(),
            "spanId": span.span_id.hex(),
            "parentSpanId": span.parent_span_id.hex(),
            "traceState": span.trace_state,
            "flags": span.flags,
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": str(span.start_time_unix_nano),
            "endTimeUnixNano": str(span.end_time_unix_nano),
            "attributes": _attributes(span.attributes),
            "droppedAttributesCount": span.dropped_attributes_count,
            "events": [_event(event) for event in span.events],
            "droppedEventsCount": span.dropped_events_count,
            "links": [_link(link) for link in span.links],
            "droppedLinksCount": span.dropped_links_count,
            "status": _without_empty({"code": span.status.code, "message": span.status.message}),
        }
    )


def _event(event: Span.Event) -> Json:
    return _without_empty(
        {
            "timeUnixNano": str(event.time_unix_nano),
            "name": event.name,
            "attributes": _attributes(event.attributes),
            "droppedAttributesCount": event.dropped_attributes_count,
        }
    )


def _link(link: Span.Link) -> Json:
    return _without_empty(
        {
            "traceId": link.trace_id.hex(),
            "spanId": link.span_id.hex(),
            "traceState": link.trace_state,
            "flags": link.flags,
            "attributes": _attributes(link.attributes),
            "droppedAttributesCount": link.dropped_attributes_count,
        }
    )


def _attributes(attributes: Iterable[KeyValue]) -> list[Json]:
    return [{"key": item.key, "value": value_json(item.value)} for item in attributes]


def value_json(value: AnyValue) -> Json:
    """An attribute's value with its type as the key."""
    match value.WhichOneof("value"):
        case "string_value":
            return {"stringValue": value.string_value}
        case "bool_value":
            return {"boolValue": value.bool_value}
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "double_value":
            return {"doubleValue": value.double_value}
        case "array_value":
            return {"arrayValue": {"values": [value_json(item) for item in value.array_value.values]}}
        case "kvlist_value":
            return {"kvlistValue": {"values": _attributes(value.kvlist_value.values)}}
        case "bytes_value":
            return {"bytesValue": b64encode(value.bytes_value).decode()}
        case _:
            return {}


def _without_empty(fields: Json) -> Json:
    return {key: value for key, value in fields.items() if value not in ("", 0, [], {})}
