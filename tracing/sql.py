"""The span of an SQL statement. The stock SQLAlchemy instrumentation refuses SQLAlchemy 2.1 without a word; this uses its public events."""

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tracing.spans import mark_failed, tracer

_SPAN = "onsale_span"
NAME_OPTION = "span_name"


def instrument_engine(engine: Engine, *, database: str, role: str) -> None:
    """Gives each statement of `engine` a CLIENT span. `role` tells `primary` from `replica`.

    The span is named by the execution option `span_name`, else by the statement's first word. Parameters are never recorded.
    """
    event.listen(engine, "before_cursor_execute", _start(database, role))
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


def _start(database: str, role: str) -> Any:
    def start(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if not trace.get_current_span().get_span_context().is_valid:
            return  # polling outside of any trace: a span of its own each second would bury the traces that matter
        operation = statement.split(None, 1)[0].upper() if statement else "SQL"
        name = context.execution_options.get(NAME_OPTION) if context else None
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": database,
            "db.operation.name": operation,
            "db.query.text": statement,
            "onsale.db.role": role,
        }
        setattr(context, _SPAN, tracer().start_span(name or operation, kind=SpanKind.CLIENT, attributes=attributes))

    return start


def _end(_connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    span: Span | None = getattr(context, _SPAN, None)
    if span is not None:
        span.set_attribute("db.response.returned_rows", cursor.rowcount)
        span.end()


def _fail(failure: Any) -> None:
    span: Span | None = getattr(failure.execution_context, _SPAN, None)
    if span is not None:
        state = getattr(failure.original_exception, "sqlstate", None)
        if state:
            span.set_attribute("db.response.status_code", state)
        span.set_attribute("error.type", state or type(failure.original_exception).__name__)
        # The message of a database error may quote values; its class and SQLSTATE are enough to find the cause.
        mark_failed(span, f"{type(failure.original_exception).__name__} {state or ''}".strip())
        span.end()
