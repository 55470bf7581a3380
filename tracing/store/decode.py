"""What an exporter sends: OTLP over HTTP, as protobuf or as JSON, compressed or not."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MAX_BODY_BYTES = 64 * 1024 * 1024
_ID_FIELDS = ("traceId", "spanId", "parentSpanId")


class BadExport(Exception):
    """What was sent cannot be read; the message says why, `status` is the HTTP status to answer with."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def decode_export(body: bytes, content_type: str, encoding: str) -> ExportTraceServiceRequest:
    """Raises BadExport with 400, 413 (too large when unpacked) or 415 (another content type or encoding)."""
    parsers: dict[str, Callable[[bytes], ExportTraceServiceRequest]] = {
        "application/x-protobuf": _from_protobuf,
        "application/json": _from_json,
    }
    parse = parsers.get(content_type.partition(";")[0].strip().lower())
    if parse is None:
        raise BadExport(
            f"Send traces as application/x-protobuf or application/json, not as {content_type or 'nothing'}.", 415
        )
    return parse(_unpacked(body, encoding.strip().lower()))


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise BadExport(f"Send traces plain, or compressed by gzip or deflate, not by {encoding}.", 415)
    unpacker = zlib.decompressobj(wbits=47)  # 47: gzip or zlib, whichever the header says
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise BadExport(f"The body says that it is {encoding}, but cannot be unpacked: {error}.") from error
    if unpacker.unconsumed_tail:
        raise BadExport(f"The body unpacks to more than {MAX_BODY_BYTES} bytes; send smaller batches.", 413)
    if not unpacker.eof:
        raise BadExport(f"The {encoding} body ends too early; was the request cut off?")
    return unpacked


def _from_protobuf(body: bytes) -> ExportTraceServiceRequest:
    try:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
    except DecodeError as error:
        raise BadExport(f"The body is not an OTLP ExportTraceServiceRequest in protobuf: {error}.") from error
    return request


def _from_json(body: bytes) -> ExportTraceServiceRequest:
    try:
        document = orjson.loads(body)
        for group in document.get("resourceSpans", ()):
            for scoped in group.get("scopeSpans", ()):
                for span in scoped.get("spans", ()):
                    _pack_ids(span)
                    for link in span.get("links", ()):
                        _pack_ids(link)
        request = ExportTraceServiceRequest()
        ParseDict(document, request, ignore_unknown_fields=True)
    except (orjson.JSONDecodeError, ParseError, AttributeError, TypeError, ValueError) as error:
        raise BadExport(f"The body is not an OTLP ExportTraceServiceRequest in JSON: {error}.") from error
    return request


def _pack_ids(holder: dict[str, Any]) -> None:
    """OTLP writes ids in hexadecimal where protobuf's JSON, and so its parser, has base64."""
    for name in _ID_FIELDS:
        if name in holder:
            holder[name] = b64encode(bytes.fromhex(holder[name])).decode()
