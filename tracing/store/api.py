"""The HTTP interfaces of the store: OTLP in, Jaeger's API out."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path
from typing import Any

import orjson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tracing.files import document_of
from tracing.model import traces_from_otlp
from tracing.store import queries
from tracing.store.database import reading
from tracing.store.decode import MAX_BODY_BYTES, BadExport
from tracing.store.legacy import legacy_trace, structured
from tracing.store.parameters import BadParameter, api_query_of, trace_id_of
from tracing.store.writer import StoreBusy, Writer

DAY_MS = 86_400_000
PROTOBUF = "application/x-protobuf"
INVALID_ARGUMENT = 3


class JsonResponse(Response):
    """JSON without the detours of the standard library: traces can be megabytes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def problem(status: int, message: str) -> JsonResponse:
    """An error in the form of Jaeger's v3 API."""
    return JsonResponse({"error": {"httpCode": status, "message": message}}, status)


class Api:
    """Routes over one database file and its writer."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self.routes = [
            Route("/v1/traces", self.receive, methods=["POST"]),
            Route("/api/v3/services", self.services),
            Route("/api/v3/operations", self.operations),
            Route("/api/v3/traces", self.find),
            Route("/api/v3/traces/{trace_id}", self.trace),
            Route("/api/v3/trace-summaries", self.summaries),
            Route("/api/traces/{trace_id}", self.older_trace),
            Route("/api/dependencies", self.dependencies),
            Route("/api/transform", self.transform, methods=["POST"]),
            Route("/livez", self.livez),
        ]

    async def receive(self, request: Request) -> Response:
        """OTLP/HTTP. Answers when the spans can be read, so that exporters feel how fast the store is."""
        content_type = request.headers.get("content-type", "")
        as_json = content_type.startswith("application/json")
        try:
            body = await _body_of(request)
            done = self._writer.store(body, content_type, request.headers.get("content-encoding", ""))
            refused = await asyncio.wrap_future(done)
        except BadExport as error:
            return _export_refused(error.status, str(error), as_json)
        except StoreBusy:
            busy = _export_refused(503, "The store is busy: send this again in a second.", as_json)
            busy.headers["retry-after"] = "1"
            return busy
        return _export_taken(refused, as_json)

    def services(self, request: Request) -> Response:
        with reading(self._path) as reads:
            return JsonResponse({"services": queries.services(reads)})

    def operations(self, request: Request) -> Response:
        service = request.query_params.get("service", "")
        if not service:
            raise BadParameter("parameter service is required: the name of a service, see /api/v3/services")
        kind = request.query_params.get("spanKind", "").lower()
        with reading(self._path) as reads:
            found = queries.operations(reads, service, kind)
        return JsonResponse({"operations": [{"name": name, "spanKind": of_kind} for name, of_kind in found]})

    def find(self, request: Request) -> Response:
        query = api_query_of(request.query_params)
        with reading(self._path) as reads:
            document = queries.traces(reads, queries.find(reads, query))
        return problem(404, "No traces found") if document is None else JsonResponse({"result": document})

    def trace(self, request: Request) -> Response:
        document = self.document(trace_id_of(request.path_params["trace_id"]))
        return problem(404, "No traces found") if document is None else JsonResponse({"result": document})

    def summaries(self, request: Request) -> Response:
        query = api_query_of(request.query_params)
        with reading(self._path) as reads:
            found = queries.summaries(reads, queries.find(reads, query))
        return JsonResponse({"summaries": [_summary_json(summary) for summary in found]})

    def older_trace(self, request: Request) -> Response:
        document = self.document(trace_id_of(request.path_params["trace_id"]))
        if document is None:
            return JsonResponse({**structured([]), "errors": [{"code": 404, "msg": "trace not found"}]}, 404)
        return JsonResponse(structured([legacy_trace(trace) for trace in traces_from_otlp(document)]))

    async def transform(self, request: Request) -> Response:
        """OTLP JSON in, the older JSON out: what the upload of Jaeger's page asks for. Nothing is stored."""
        try:
            document = document_of(await _body_of(request))
            found = traces_from_otlp(document)
        except (BadExport, ValueError) as error:
            return JsonResponse({**structured([]), "errors": [{"code": 400, "msg": str(error)}]}, 400)
        return JsonResponse(structured([legacy_trace(trace) for trace in found]))

    def dependencies(self, request: Request) -> Response:
        """`endTs` and `lookback` in milliseconds, as in Jaeger; now and a day if they are missing."""
        end_ms = _milliseconds(request, "endTs", time.time_ns() // 1_000_000)
        lookback_ms = _milliseconds(request, "lookback", DAY_MS)
        with reading(self._path) as reads:
            found = queries.dependencies(reads, (end_ms - lookback_ms) * 1_000_000, end_ms * 1_000_000)
        calls = [{"parent": edge.parent, "child": edge.child, "callCount": edge.calls} for edge in found]
        return JsonResponse(structured(calls))

    def livez(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def document(self, trace_id: str) -> dict[str, Any] | None:
        """The OTLP JSON of one trace, or None."""
        with reading(self._path) as reads:
            return queries.traces(reads, [trace_id])

    @staticmethod
    def bad_parameter(request: Request, error: Exception) -> Response:
        """BadParameter anywhere in the API."""
        return problem(400, str(error))

    @staticmethod
    def unreadable(request: Request, error: Exception) -> Response:
        """The database file itself cannot be read."""
        return problem(
            500, f"The store's file cannot be used ({error}). Stop the store, delete its data and start again."
        )


EXCEPTIONS = {BadParameter: Api.bad_parameter, sqlite3.Error: Api.unreadable}


async def _body_of(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BadExport(f"The body has more than {MAX_BODY_BYTES} bytes; send smaller batches.", 413)
        chunks.append(chunk)
    return b"".join(chunks)


def _export_taken(refused: int, as_json: bool) -> Response:
    message = f"{refused} spans have an invalid id or time." if refused else ""
    if as_json:
        partial = {"rejectedSpans": str(refused), "errorMessage": message} if refused else {}
        return JsonResponse({"partialSuccess": partial} if partial else {})
    answer = ExportTraceServiceResponse()
    if refused:
        answer.partial_success.CopyFrom(ExportTracePartialSuccess(rejected_spans=refused, error_message=message))
    return Response(answer.SerializeToString(), media_type=PROTOBUF)


def _export_refused(status: int, message: str, as_json: bool) -> Response:
    """OTLP wants a google.rpc.Status in the encoding of the request."""
    if as_json:
        return JsonResponse({"code": INVALID_ARGUMENT, "message": message}, status)
    return Response(Status(code=INVALID_ARGUMENT, message=message).SerializeToString(), status, media_type=PROTOBUF)


def _summary_json(summary: queries.Summary) -> dict[str, Any]:
    return {
        "traceId": summary.trace_id,
        "rootServiceName": summary.root_service,
        "rootOperationName": summary.root_name,
        "minStartTimeUnixNano": str(summary.start_ns),
        "maxEndTimeUnixNano": str(summary.end_ns),
        "spanCount": summary.span_count,
        "errorSpanCount": summary.error_count,
        "services": [
            {"name": share.name, "spanCount": share.span_count, "errorSpanCount": share.error_count}
            for share in summary.services
        ],
    }


def _milliseconds(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadParameter(f"malformed parameter {name}: give milliseconds as a whole number, not {text!r}")
    return int(text)
