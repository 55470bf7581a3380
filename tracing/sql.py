"""What is seen of an SQL statement: its span, and how long it took, by its name."""

from time import perf_counter
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind

from tracing.instruments import DB_DURATION
from tracing.metrics import Metrics
from tracing.series import Series
from tracing.spans import mark_failed, tracer


class Statements:
    """Watches the statements of one database. `role` tells `primary` from `replica`. Parameters are never recorded.

    Without `metrics` only spans are made: of health checks nobody counts the statements.
    """

    def __init__(self, database: str, role: str, metrics: Metrics | None = None) -> None:
        self._database = database
        self._role = role
        self._metrics = metrics
        self._series: dict[str, Series] = {}

    def begin(self, name: str, sql: str) -> "Statement":
        """A statement begins; `name` is its span's and its series'."""
        return Statement(self, name, self._span(name, sql))

    def _span(self, name: str, sql: str) -> Span | None:
        if not trace.get_current_span().get_span_context().is_valid:
            return None  # polling outside of any trace: a span of its own each second would bury the traces that matter
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": self._database,
            "db.operation.name": sql.split(None, 1)[0].upper(),
            "db.query.text": sql,
            "onsale.db.role": self._role,
        }
        return tracer().start_span(name, kind=SpanKind.CLIENT, attributes=attributes)

    def count(self, name: str, seconds: float, failure: str | None) -> None:
        """How long it took, and how it failed if it did."""
        if self._metrics is None:
            return
        if failure is not None:
            self._metrics.record(DB_DURATION, seconds, self._attributes(name) | {"error.type": failure})
            return
        series = self._series.get(name)
        if series is None:
            series = self._series.setdefault(name, self._metrics.series(DB_DURATION, self._attributes(name)))
        series.add(seconds)

    def _attributes(self, name: str) -> dict[str, str]:
        return {"db.system.name": "postgresql", "db.query.summary": name, "onsale.db.role": self._role}


class Statement:
    """One that is under way; it ends well or fails."""

    __slots__ = ("_name", "_span", "_started", "_watched")

    def __init__(self, watched: Statements, name: str, span: Span | None) -> None:
        self._watched = watched
        self._name = name
        self._span = span
        self._started = perf_counter()

    def end(self, rows: int) -> None:
        """It returned, or changed, so many rows."""
        self._watched.count(self._name, perf_counter() - self._started, None)
        if self._span is not None:
            self._span.set_attribute("db.response.returned_rows", rows)
            self._span.end()

    def fail(self, error: BaseException) -> None:
        """The message of a database error may quote values; its class and SQLSTATE are enough to find the cause."""
        state: Any = getattr(error, "sqlstate", None)
        kind = state or type(error).__name__
        self._watched.count(self._name, perf_counter() - self._started, kind)
        if self._span is not None:
            if state:
                self._span.set_attribute("db.response.status_code", state)
            self._span.set_attribute("error.type", kind)
            mark_failed(self._span, f"{type(error).__name__} {state or ''}".strip())
            self._span.end()
