"""Spans as OTLP in protobuf, at a fifth of the time that the stock encoder takes: the bytes are put together without messages.

Most attributes are the same from span to span (names of databases, texts of statements), so that their bytes are remembered.
A test holds it to the stock encoder, message by message.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import pack
from typing import Any

from opentelemetry.exporter.http.transport._urllib3 import Urllib3HTTPTransport
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN_CONTEXT, Link, SpanContext, Status, TraceState

REMEMBERED = 2_048
LONGEST_REMEMBERED = 1_500  # characters of a text; addresses that strangers ask for are among them
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200
INT64 = range(-(2**63), 2**63)


class QuickExporter(OTLPSpanExporter):
    """The stock exporter over HTTP, with this encoder; to a plain address without the detours of `requests`, which cost a half."""

    def __init__(self, endpoint: str, timeout: float) -> None:
        if endpoint.startswith("http://"):
            super().__init__(endpoint=endpoint, timeout=timeout, _transport=Urllib3HTTPTransport())
        else:  # certificates come from the environment, as the SDK's documents say
            super().__init__(endpoint=endpoint, timeout=timeout)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends a batch; the spans of one that cannot be sent are lost."""
        if self._shutdown:
            return SpanExportResult.FAILURE
        done = self._client.export(encode(spans))
        return SpanExportResult.SUCCESS if done.success else SpanExportResult.FAILURE

    def hurry(self, seconds: float) -> None:
        """From now on a batch has so many seconds, and one that cannot be sent is not tried again."""
        self._client._timeout = seconds  # noqa: SLF001  # the client has no name for it; a test holds it to this
        self._client._shutdown_event.set()  # noqa: SLF001  # the same


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """An ExportTraceServiceRequest."""
    groups: dict[tuple[int, int], list[ReadableSpan]] = {}
    for span in spans:
        groups.setdefault((id(span.resource), id(span.instrumentation_scope)), []).append(span)
    return b"".join(_group(members) for members in groups.values())


def _group(spans: Sequence[ReadableSpan]) -> bytes:
    # Messages may be put together from the bytes of their parts.
    head, scope = _heads(spans[0].resource, spans[0].instrumentation_scope)
    body = b"".join(_field(b"\x12", encode_span(span)) for span in spans)
    return _field(b"\x0a", head + _field(b"\x12", scope + body))


@lru_cache(64)
def _heads(resource: Resource, scope: InstrumentationScope | None) -> tuple[bytes, bytes]:
    """What is said once for many spans, a ResourceSpans and a ScopeSpans without them; the stock encoder writes it."""
    bare = ReadableSpan("", INVALID_SPAN_CONTEXT, resource=resource, instrumentation_scope=scope)
    whole = encode_spans([bare]).resource_spans[0]
    scoped = whole.scope_spans[0]
    return (
        ResourceSpans(resource=whole.resource, schema_url=whole.schema_url).SerializeToString(),
        ScopeSpans(scope=scoped.scope, schema_url=scoped.schema_url).SerializeToString(),
    )


def encode_span(span: ReadableSpan) -> bytes:
    """A Span. The tags are those of trace.proto: number of the field * 8 + how it is written."""
    context, parent, status = span.context, span.parent, span.status
    parts = [
        b"\x0a\x10", context.trace_id.to_bytes(16, "big"),
        b"\x12\x08", context.span_id.to_bytes(8, "big"),
        _trace_state(b"\x1a", context.trace_state),
    ]  # fmt: skip
    if parent is not None:
        parts += (b"\x22\x08", parent.span_id.to_bytes(8, "big"))
    parts += (
        _text_field(b"\x2a", span.name),
        b"\x30", bytes((span.kind.value + 1,)),
        pack("<BQBQ", 0x39, span.start_time or 0, 0x41, span.end_time or 0),
    )  # fmt: skip
    parts += _attributes(b"\x4a", span.attributes)
    parts += [_field(b"\x5a", _event(event)) for event in span.events]
    parts += [_field(b"\x6a", _link(link)) for link in span.links]
    parts += (_field(b"\x7a", _status(status)), b"\x85\x01", pack("<I", _flags(parent)))
    return b"".join(parts)


def _event(event: Event) -> bytes:
    head = (pack("<BQ", 0x09, event.timestamp), _text_field(b"\x12", event.name))
    return b"".join((*head, *_attributes(b"\x1a", event.attributes)))


def _link(link: Link) -> bytes:
    ids = link.context.trace_id.to_bytes(16, "big"), link.context.span_id.to_bytes(8, "big")
    attributes = _attributes(b"\x22", link.attributes)
    return b"".join((b"\x0a\x10", ids[0], b"\x12\x08", ids[1], *attributes, b"\x35", pack("<I", _flags(link.context))))


def _status(status: Status) -> bytes:
    code = status.status_code.value
    message = _text_field(b"\x12", status.description) if status.description else b""
    return message + (b"\x18" + bytes((code,)) if code else b"")


def _flags(context: SpanContext | None) -> int:
    return HAS_IS_REMOTE | (IS_REMOTE if context and context.is_remote else 0)


def _trace_state(tag: bytes, state: TraceState) -> bytes:
    # These bytes are not remembered, since strangers may write here what they like.
    return (
        _field(tag, ",".join(f"{key}={value}" for key, value in state.items()).encode("utf-8", "replace"))
        if state
        else b""
    )


def _attributes(tag: bytes, attributes: Mapping[str, Any] | None) -> list[bytes]:
    """Pairs of a key and a value that is not None, each with the tag of the list that it belongs to."""
    return [_attribute(tag, key, value) for key, value in (attributes or {}).items() if value is not None]


def _attribute(tag: bytes, key: str, value: Any) -> bytes:
    if isinstance(value, (str, bool, int, float)) and not (isinstance(value, str) and len(value) > LONGEST_REMEMBERED):
        return _plain_attribute(tag, key, value)
    return _pair(tag, key, _value(value))


@lru_cache(REMEMBERED, typed=True)  # typed: True is not 1
def _plain_attribute(tag: bytes, key: str, value: str | float) -> bytes:
    return _pair(tag, key, _value(value))


def _pair(tag: bytes, key: str, value: bytes) -> bytes:
    return _field(tag, _text_field(b"\x0a", key) + _field(b"\x12", value))


def _value(value: Any) -> bytes:
    """An AnyValue. What is none of its kinds is written as the text that Python has for it."""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int) and value in INT64:
        return b"\x18" + _varint(value & (2**64 - 1))
    if isinstance(value, float):
        return pack("<Bd", 0x21, value)
    if isinstance(value, bytes):
        return _field(b"\x3a", value)
    if isinstance(value, Mapping):
        pairs = (_pair(b"\x0a", str(key), _value(each)) for key, each in value.items())
        return _field(b"\x32", b"".join(pairs))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _field(b"\x2a", b"".join(_field(b"\x0a", _value(each)) for each in value))
    return _field(b"\x0a", str(value).encode("utf-8", "replace"))


@lru_cache(REMEMBERED)
def _text_field(tag: bytes, text: str) -> bytes:
    return _field(tag, text.encode("utf-8", "replace")) if text else b""


def _field(tag: bytes, content: bytes) -> bytes:
    """Bytes after their length."""
    length = len(content)
    return tag + (bytes((length,)) if length < 0x80 else _varint(length)) + content


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
