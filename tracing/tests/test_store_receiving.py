"""What exporters may send, and what the store answers to what nobody should send."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os import urandom

import httpx
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tracing.reader import TraceReader
from tracing.store.decode import MAX_BODY_BYTES
from tracing.tests.running_store import Store, Telemetry, buy, running_store, trace_id_of

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with running_store(tmp_path_factory.mktemp("store")) as started:
        yield started


@pytest.fixture
def reader(store: Store) -> Iterator[TraceReader]:
    with TraceReader(store.url) as made:
        yield made


def export(*spans: tuple[bytes, bytes], service: str = "orders") -> ExportTraceServiceRequest:
    """A request with spans of these (trace id, span id)."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    attribute = group.resource.attributes.add(key="service.name")
    attribute.value.string_value = service
    scoped = group.scope_spans.add()
    for trace_id, span_id in spans:
        now = time.time_ns()
        scoped.spans.add(
            trace_id=trace_id, span_id=span_id, name="work", start_time_unix_nano=now, end_time_unix_nano=now + 1_000
        )
    return request


def send(store: Store, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{store.otlp_url}/v1/traces", content=body, headers=headers, timeout=30)


@pytest.mark.parametrize("compression", [Compression.Gzip, Compression.Deflate])
def test_compressed_exports_are_read(store: Store, reader: TraceReader, compression: Compression) -> None:
    telemetry = Telemetry(store.otlp_url, compression)
    root = buy(telemetry)
    telemetry.close()
    assert len(reader.trace(trace_id_of(root)).spans) == 6


def test_spans_can_be_read_as_soon_as_the_export_is_answered(store: Store, reader: TraceReader) -> None:
    trace_id = urandom(16)
    assert send(store, export((trace_id, urandom(8))).SerializeToString(), PROTOBUF).status_code == 200
    assert reader.trace(trace_id.hex()).spans[0].name == "work"


def test_a_download_can_be_sent_back_as_json(store: Store, reader: TraceReader) -> None:
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": "b7ad6b7169203331",
                                "name": "GET /",
                                "kind": 2,
                                "startTimeUnixNano": "1700000000000000001",
                                "endTimeUnixNano": "1700000000000000002",
                                "attributes": [{"key": "n", "value": {"intValue": "7"}}],
                                "links": [{"traceId": "00" * 15 + "01", "spanId": "00" * 7 + "02"}],
                            }
                        ]
                    }
                ],
            }
        ]
    }
    response = httpx.post(f"{store.otlp_url}/v1/traces", json=document)
    assert (response.status_code, response.json()) == (200, {})
    (span,) = reader.trace("0af7651916cd43dd8448eb211c80319c").spans
    assert (span.service, span.kind, span.attributes, span.links[0].span_id) == (
        "web",
        "server",
        {"n": 7},
        "0" * 15 + "2",
    )
    assert span.start_ns == 1700000000000000001
    downloaded = httpx.get(f"{store.url}/api/v3/traces/{span.trace_id}").json()["result"]
    assert downloaded == document


def test_an_export_that_is_repeated_counts_once(store: Store, reader: TraceReader) -> None:
    trace_id = urandom(16)
    body = export((trace_id, urandom(8)), (trace_id, urandom(8))).SerializeToString()
    for _ in range(3):
        assert send(store, body, PROTOBUF).status_code == 200
    assert len(reader.trace(trace_id.hex()).spans) == 2


def test_exports_that_come_together_are_all_stored(store: Store, reader: TraceReader) -> None:
    trace_id = urandom(16)
    bodies = [export((trace_id, urandom(8)), service=f"s{n % 5}").SerializeToString() for n in range(60)]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda body: send(store, body, PROTOBUF).status_code, bodies))
    assert answers == [200] * 60
    trace = reader.trace(trace_id.hex())
    assert (len(trace.spans), len(trace.services)) == (60, 5)


@pytest.mark.parametrize(
    ("body", "headers", "status", "sentence"),
    [
        (b"\xff\xffnonsense", PROTOBUF, 400, "not an OTLP ExportTraceServiceRequest in protobuf"),
        (b"{", JSON, 400, "not an OTLP ExportTraceServiceRequest in JSON"),
        (b"[1]", JSON, 400, "in JSON"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}', JSON, 400, "in JSON"),
        (b"not gzip", {**PROTOBUF, "content-encoding": "gzip"}, 400, "cannot be unpacked"),
        (gzip.compress(b"x" * 99)[:20], {**PROTOBUF, "content-encoding": "gzip"}, 400, "ends too early"),
        (gzip.compress(bytes(MAX_BODY_BYTES + 1)), {**PROTOBUF, "content-encoding": "gzip"}, 413, "smaller batches"),
        (b"", {**PROTOBUF, "content-encoding": "zstd"}, 415, "gzip or deflate"),
        (b"", {"content-type": "text/plain"}, 415, "application/x-protobuf or application/json"),
        (b"", {}, 415, "not as nothing"),
    ],
    ids=[
        "no protobuf",
        "half JSON",
        "a JSON list",
        "an id that is not hexadecimal",
        "no gzip",
        "half gzip",
        "a gzip bomb",
        "another encoding",
        "another content type",
        "no content type",
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    store: Store, body: bytes, headers: dict[str, str], status: int, sentence: str
) -> None:
    response = send(store, body, headers)
    assert response.status_code == status
    if headers == JSON:
        message = response.json()["message"]
    else:
        answer = Status()
        answer.ParseFromString(response.content)
        message = answer.message
    assert sentence in message


def test_a_bad_export_does_not_hurt_the_good_ones_beside_it(store: Store, reader: TraceReader) -> None:
    trace_id = urandom(16)
    good = [export((trace_id, urandom(8))).SerializeToString() for _ in range(20)]
    mixed = [body for pair in zip(good, [b"\xff\xffnonsense"] * 20, strict=True) for body in pair]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: send(store, body, PROTOBUF).status_code, mixed))
    assert answers == [200, 400] * 20
    assert len(reader.trace(trace_id.hex()).spans) == 20


@pytest.mark.parametrize("bad", [(bytes(16), b"12345678"), (b"short", b"12345678"), (b"1" * 16, bytes(8))])
def test_a_span_with_an_invalid_id_is_refused_and_the_others_are_kept(
    store: Store, reader: TraceReader, bad: tuple[bytes, bytes]
) -> None:
    trace_id = urandom(16)
    response = send(store, export((trace_id, urandom(8)), bad).SerializeToString(), PROTOBUF)
    answer = ExportTraceServiceResponse()
    answer.ParseFromString(response.content)
    assert response.status_code == 200
    assert answer.partial_success.rejected_spans == 1
    assert "invalid id" in answer.partial_success.error_message
    assert len(reader.trace(trace_id.hex()).spans) == 1


def test_a_root_whose_missing_parent_is_written_as_zeros_is_no_orphan(store: Store, reader: TraceReader) -> None:
    trace_id = urandom(16)
    request = export((trace_id, urandom(8)))
    request.resource_spans[0].scope_spans[0].spans[0].parent_span_id = bytes(8)
    assert send(store, request.SerializeToString(), PROTOBUF).status_code == 200
    assert len(reader.trace(trace_id.hex()).roots) == 1
