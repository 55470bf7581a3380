"""What the CLIENT span of an HTTP call says."""

from opentelemetry import trace

from tracing.spans import mark_failed

SERVER_ERROR = 500
# Said of an attempt that found no connection: nothing was sent, so nobody else has a span of it.
NOT_CONNECTED = "onsale.not_connected"


def attributes_of_call(
    method: str, provider: str, host: str, port: int, path: str, route: str | None, attempt: int
) -> dict[str, str | int]:
    """What the span of an attempt says before there is an answer; `attempt` counts from 1."""
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "peer.service": provider,
        "server.address": host,
        "server.port": port,
        "url.path": path,
    }
    if route:
        attributes["url.template"] = route
    if attempt > 1:
        attributes["http.request.resend_count"] = attempt - 1
    return attributes


def note_answer(current: trace.Span, provider: str, status: int) -> None:
    """What it says of the answer; a failure of the provider marks it as failed."""
    current.set_attribute("http.response.status_code", status)
    if status >= SERVER_ERROR:
        current.set_attribute("error.type", str(status))
        mark_failed(current, f"{provider} answered {status}")
