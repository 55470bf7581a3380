"""What the CLIENT span of an HTTP call says."""

from opentelemetry import trace

from tracing.spans import mark_failed

SERVER_ERROR = 500
# Said of an attempt that found no connection: nothing was sent, so nobody else has a span of it.
NOT_CONNECTED = "onsale.not_connected"


# How a provider without a port is called: its address is a subject of NATS.
BUS = "bus"


def address_of_call(provider: str, host: str, port: int | None, scheme: str) -> dict[str, str | int]:
    """Who is asked, and where: what the spans of all calls to a provider say."""
    address: dict[str, str | int] = {"peer.service": provider, "server.address": host}
    if port is not None:
        address["server.port"] = port
    if scheme == BUS:
        address["network.protocol.name"] = "nats"
    return address


def attributes_of_call(method: str, path: str, route: str | None, attempt: int) -> dict[str, str | int]:
    """What the span of an attempt says beside the address before there is an answer; `attempt` counts from 1."""
    attributes: dict[str, str | int] = {"http.request.method": method, "url.path": path}
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
