"""The CLIENT span of an HTTP call, as a transport that wraps another one."""

import httpx
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing.spans import inject, mark_failed, tracer

CLIENT_ERROR = 400
SERVER_ERROR = 500


class TracingTransport(httpx.AsyncBaseTransport):
    """One CLIENT span an attempt, named `METHOD /route` of the `provider`.

    The caller says the route's template in `extensions={"route": ...}`; without it the span is named after the method alone.
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
            "server.port": request.url.port or 80,
            "url.path": request.url.path,
        }
        if attempt := request.extensions.get("attempt", 1) - 1:
            attributes["http.request.resend_count"] = attempt
        name = f"{request.method} {route}" if route else request.method
        with tracer().start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            if self._propagate:
                request.headers.update(inject({}))
            response = await self._inner.handle_async_request(request)
            self._note(span, response)
            return response

    def _note(self, span: trace.Span, response: httpx.Response) -> None:
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= SERVER_ERROR:
            mark_failed(span, f"{self._provider} answered {response.status_code}")

    async def aclose(self) -> None:
        await self._inner.aclose()
