"""The CLIENT span of an HTTP call, as a transport that wraps another one."""

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing.spans import inject, mark_failed, span

DEFAULT_PORTS = {"http": 80, "https": 443}
SERVER_ERROR = 500
# Said of an attempt that found no connection: nothing was sent, so nobody else has a span of it.
NOT_CONNECTED = "onsale.not_connected"


class TracingTransport(httpx.AsyncBaseTransport):
    """One CLIENT span an attempt, named `METHOD /route` of the `provider`.

    The caller says the route's template in `extensions={"route": ...}`; without it the span is named after the method alone.
    What else the span should tell is in `extensions={"attributes": ...}`.
    `propagate=False` is for strangers: they get no trace headers of ours.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, provider: str, propagate: bool = True) -> None:
        self._inner = inner
        self._provider = provider
        self._propagate = propagate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        route = request.extensions.get("route")
        url, attempt = request.url, request.extensions.get("attempt", 1)
        port = url.port or DEFAULT_PORTS.get(url.scheme, 0)
        attributes = attributes_of_call(request.method, self._provider, url.host, port, url.path, route, attempt)
        attributes.update(request.extensions.get("attributes", {}))
        name = f"{request.method} {route}" if route else request.method
        with span(name, attributes, SpanKind.CLIENT) as current:
            if self._propagate:
                request.headers.update(inject({}))
            response = await self._inner.handle_async_request(request)
            note_answer(current, self._provider, response.status_code)
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


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
