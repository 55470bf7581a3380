"""The CLIENT span of an HTTP call, as a transport that wraps another one."""

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing.spans import inject, mark_failed, span

DEFAULT_PORTS = {"http": 80, "https": 443}
SERVER_ERROR = 500


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
        attributes: dict[str, str | int] = {
            "http.request.method": request.method,
            "peer.service": self._provider,
            "server.address": request.url.host,
            "server.port": request.url.port or DEFAULT_PORTS.get(request.url.scheme, 0),
            "url.path": request.url.path,
        }
        if route:
            attributes["url.template"] = route
        attributes.update(request.extensions.get("attributes", {}))
        if attempt := request.extensions.get("attempt", 1) - 1:
            attributes["http.request.resend_count"] = attempt
        name = f"{request.method} {route}" if route else request.method
        with span(name, attributes, SpanKind.CLIENT) as current:
            if self._propagate:
                request.headers.update(inject({}))
            response = await self._inner.handle_async_request(request)
            self._note(current, response)
            return response

    def _note(self, current: trace.Span, response: httpx.Response) -> None:
        current.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= SERVER_ERROR:
            current.set_attribute("error.type", str(response.status_code))
            mark_failed(current, f"{self._provider} answered {response.status_code}")

    async def aclose(self) -> None:
        await self._inner.aclose()
