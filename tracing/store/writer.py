"""The only writer of the store: one thread that puts whatever has arrived into one transaction."""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tracing.store.database import INSERT_LINK, connect, links_of
from tracing.store.decode import BadExport, decode_export

logger = logging.getLogger("tracing.store")

MAX_WAITING_EXPORTS = 256
MAX_EXPORTS_A_TRANSACTION = 32
MAX_TIME_NS = 2**63 - 1
UNKNOWN_SERVICE = "unknown_service"

Row = tuple[str, str, str, str, str, int, int, int, int, int, bytes]
LinkRow = tuple[str, str, str, str]


class StoreBusy(Exception):
    """More exports wait than the store may hold; the exporter should send this one again later."""


@dataclass
class _Export:
    body: bytes
    content_type: str
    encoding: str
    done: Future[int]


class Writer:
    """Stores spans, and drops the oldest traces so that there are never more than `max_spans` spans."""

    def __init__(self, path: Path, max_spans: int) -> None:
        self._max_spans = max_spans
        self._connection = connect(path)
        self._span_count = self._count()
        self._origins: dict[bytes, int] = {}
        self._waiting: queue.Queue[_Export | None] = queue.Queue(MAX_WAITING_EXPORTS)
        self._thread = threading.Thread(target=self._run, name="trace-writer", daemon=True)

    def start(self) -> None:
        """Begin to write; what was handed over before waits until now."""
        self._thread.start()

    def store(self, body: bytes, content_type: str, encoding: str) -> Future[int]:
        """The future is done when the spans can be read; it gives the number of spans that were refused.

        The future raises BadExport if the body cannot be read. Raises StoreBusy at once if too many wait.
        """
        export = _Export(body, content_type, encoding, Future())
        try:
            self._waiting.put_nowait(export)
        except queue.Full as full:
            raise StoreBusy from full
        return export.done

    def close(self) -> None:
        """Write what is waiting, then stop."""
        self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (export := self._waiting.get()) is not None:
            batch = [export]
            last = False
            while len(batch) < MAX_EXPORTS_A_TRANSACTION and not self._waiting.empty():
                following = self._waiting.get_nowait()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._write(batch)
            if last:
                return

    def _write(self, batch: list[_Export]) -> None:
        """One transaction for the batch. An export that cannot be read fails alone; a full disk fails them all."""
        batch = [export for export in batch if export.done.set_running_or_notify_cancel()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._write_one(export) for export in batch]
            self._drop_oldest()
            self._connection.execute("COMMIT")
        except Exception as error:
            logger.exception("%d exports could not be stored", len(batch))
            self._roll_back()
            for export in batch:
                export.done.set_exception(error)
            return
        for export, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, BadExport):
                export.done.set_exception(outcome)
            else:
                export.done.set_result(outcome)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._span_count = self._count()
        self._origins.clear()

    def _count(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM span").fetchone()[0]
        return count

    def _write_one(self, export: _Export) -> int | BadExport:
        try:
            request = decode_export(export.body, export.content_type, export.encoding)
        except BadExport as error:
            return error
        rows, links, refused = self._rows(request)
        before = self._connection.total_changes
        self._connection.executemany("INSERT OR IGNORE INTO span VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)
        self._span_count += self._connection.total_changes - before
        traces = [(trace_id,) for trace_id in dict.fromkeys(row[0] for row in rows)]
        self._connection.executemany("INSERT OR IGNORE INTO trace (trace_id) VALUES (?)", traces)
        self._connection.executemany(INSERT_LINK, links)
        return refused

    def _rows(self, request: ExportTraceServiceRequest) -> tuple[list[Row], list[LinkRow], int]:
        rows: list[Row] = []
        links: list[LinkRow] = []
        refused = 0
        for group in request.resource_spans:
            service = _service_of(group)
            for scoped in group.scope_spans:
                origin_id = self._origin_id(group, scoped, service)
                for span in scoped.spans:
                    if _is_storable(span):
                        rows.append(_row(span, service, origin_id))
                        links.extend(links_of(span))
                    else:
                        refused += 1
        return rows, links, refused

    def _origin_id(self, group: ResourceSpans, scoped: ScopeSpans, service: str) -> int:
        origin = ResourceSpans(
            resource=group.resource,
            schema_url=group.schema_url,
            scope_spans=[ScopeSpans(scope=scoped.scope, schema_url=scoped.schema_url)],
        ).SerializeToString(deterministic=True)
        if origin not in self._origins:
            self._connection.execute("INSERT OR IGNORE INTO origin (service, body) VALUES (?, ?)", (service, origin))
            found = self._connection.execute("SELECT origin_id FROM origin WHERE body = ?", (origin,)).fetchone()
            self._origins[origin] = found[0]
        return self._origins[origin]

    def _drop_oldest(self) -> None:
        while self._span_count > self._max_spans:
            oldest = self._connection.execute("SELECT trace_id FROM trace ORDER BY arrival LIMIT 1").fetchone()
            self._span_count -= self._connection.execute("DELETE FROM span WHERE trace_id = ?", oldest).rowcount
            self._connection.execute("DELETE FROM link WHERE trace_id = ?", oldest)
            self._connection.execute("DELETE FROM trace WHERE trace_id = ?", oldest)


def _service_of(group: ResourceSpans) -> str:
    for attribute in group.resource.attributes:
        if attribute.key == "service.name" and attribute.value.string_value:
            name: str = attribute.value.string_value
            return name
    return UNKNOWN_SERVICE


def _is_storable(span: Span) -> bool:
    """OTLP: an id of another length, or of zeros alone, is invalid."""
    return (
        len(span.trace_id) == 16
        and any(span.trace_id)
        and len(span.span_id) == 8
        and any(span.span_id)
        and len(span.parent_span_id) in (0, 8)
        and max(span.start_time_unix_nano, span.end_time_unix_nano) <= MAX_TIME_NS
    )


def _row(span: Span, service: str, origin_id: int) -> Row:
    if not any(span.parent_span_id):  # some exporters write a root's missing parent as zeros
        span.ClearField("parent_span_id")
    return (
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        service,
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code,
        origin_id,
        span.SerializeToString(),
    )
