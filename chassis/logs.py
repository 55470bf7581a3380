"""Log lines: JSON for machines, readable text on a terminal; each with the trace that it belongs to."""

import logging
import sys
import threading
from asyncio import InvalidStateError
from io import StringIO
from time import monotonic
from types import TracebackType
from typing import Any, TextIO

import structlog

from chassis.errors import scrubbed
from tracing.parts import current_part
from tracing.spans import current_span_id, current_trace_id, process_traceparent

# OpenTelemetry's exporters log each batch that they cannot send; one line in this time is enough.
TELEMETRY_SAYS_SECONDS = 60.0
# One line per request would repeat the span, and addresses in paths would stay in logs. fontTools tells how it makes each
# font of each PDF. The services say themselves when they start and stop.
QUIET = ("uvicorn.access", "uvicorn.error", "httpx", "aiosqlite", "fontTools")


def set_up_logs(service_name: str, log_format: str, level: str) -> None:
    """Sends structlog and the standard library's logging through one chain of processors to standard output."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stdout.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _add_service(service_name),
    ]
    renderer: list[Any]
    if as_json:
        renderer = [structlog.processors.format_exc_info, _scrub, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: the default one also prints local variables, and with them tokens and people's data.
        renderer = [_scrub, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=_plain)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_Seldom("opentelemetry", TELEMETRY_SAYS_SECONDS))
    handler.addFilter(_late_answer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for quiet in QUIET:
        logging.getLogger(quiet).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def log_all_that_goes_wrong() -> None:
    """Sends warnings, and what ends a thread or the process, the way of all log lines. For whoever owns the process."""
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_a_threads_end


def log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log(__name__).info("seats taken", event_id=...)`. No personal data, no secrets."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _add_trace(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
        event["span_id"] = current_span_id()
    else:
        # Lines outside of any trace belong to the span with which the process began.
        _, event["trace_id"], event["span_id"], _ = process_traceparent().split("-")
    return event


def _plain(out: TextIO, error: Any) -> None:
    written = StringIO()
    structlog.dev.plain_traceback(written, error)
    out.write(scrubbed(written.getvalue()))


def _scrub(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """No line quotes what people typed, whatever an error's text does."""
    return {name: scrubbed(value) if isinstance(value, str) else value for name, value in event.items()}


class _Seldom(logging.Filter):
    """Lets each logger below a name say something once in a while."""

    def __init__(self, name: str, every_seconds: float) -> None:
        super().__init__(name)
        self._every_seconds = every_seconds
        self._silent_until: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        now = monotonic()
        if now < self._silent_until.get(record.name, 0.0):
            return False
        self._silent_until[record.name] = now + self._every_seconds
        return True


def _late_answer(record: logging.LogRecord) -> bool:
    """Says in a sentence what nats-py shows as a traceback of its own: an answer of the server for which nobody waits any more.

    It comes when a connection is given up, as at the end of a process. What follows is the broker's business (chassis/broker.py).
    """
    if record.name.startswith("nats.") and record.exc_info and isinstance(record.exc_info[1], InvalidStateError):
        record.msg, record.args, record.exc_info = "NATS answered after nobody waited for it any more", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _log_the_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    log(__name__).critical("the process ends, because nothing expected this", exc_info=(kind, error, traceback))


def _log_a_threads_end(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        about = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        name = ended.thread.name if ended.thread else ""
        log(__name__).error("a thread ended, because nothing expected this", thread=name, exc_info=about)


def _add_service(name: str) -> Any:
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        part = current_part.get()
        event["service"] = part.name if part else name
        return event

    return add
