"""Log lines: JSON for machines, readable text on a terminal; each with the trace that it belongs to."""

import logging
import sys
from io import StringIO
from typing import Any, TextIO

import structlog

from chassis.errors import scrubbed
from tracing.spans import current_span_id, current_trace_id


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
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # One line per request would be the span told twice, and addresses in paths would stay in logs.
    for noisy in ("uvicorn.access", "httpx", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # The services say themselves when they start and stop.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def log(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log(__name__).info("seats taken", event_id=...)`. No personal data, no secrets."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _add_trace(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    trace_id = current_trace_id()
    if trace_id:
        event["trace_id"] = trace_id
        event["span_id"] = current_span_id()
    return event


def _plain(out: TextIO, error: Any) -> None:
    written = StringIO()
    structlog.dev.plain_traceback(written, error)
    out.write(scrubbed(written.getvalue()))


def _scrub(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """No line quotes what people typed, whatever an error's text does."""
    return {name: scrubbed(value) if isinstance(value, str) else value for name, value in event.items()}


def _add_service(name: str) -> Any:
    def add(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        event["service"] = name
        return event

    return add
