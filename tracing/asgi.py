"""The SERVER span of an HTTP request. Small on purpose: the stock instrumentation costs twice as much per request."""

from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing.spans import context_of, mark_failed, tracer

Scope = dict[str, Any]
ParentOf = Callable[[Scope], str | None]

UNTRACED_PATHS = frozenset({"/livez", "/readyz", "/load"})
SERVER_ERROR = 500


class TracingMiddleware:
    """Wraps an ASGI application: one SERVER span a request, and an `X-Trace-Id` header on every response.

    `parent_of` may name another parent (a traceparent) than the request's own header: an edge that trusts no
    header from outside continues a trace that it remembers itself. `trust_header=False` ignores the header.
    `untraced` are path prefixes without spans, for streams that live for minutes.
    """

    def __init__(
        self, app: Any, *, parent_of: ParentOf | None = None, trust_header: bool = True, untraced: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._parent_of = parent_of
        self._trust_header = trust_header
        self._untraced = untraced

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self._is_untraced(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        parent = self._parent(scope, headers)
        method = scope["method"]
        attributes = {
            "http.request.method": method,
            "url.path": scope["path"],
            "url.scheme": scope.get("scheme", "http"),
        }
        span = tracer().start_span(method, context=parent, kind=SpanKind.SERVER, attributes=attributes)
        trace_id = f"{span.get_span_context().trace_id:032x}".encode()

        async def send_and_note(message: Any) -> None:
            if message["type"] == "http.response.start":
                status = message["status"]
                span.set_attribute("http.response.status_code", status)
                if status >= SERVER_ERROR:
                    mark_failed(span, f"answered {status}")
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-trace-id", trace_id)]
            await send(message)

        token = otel_context.attach(trace.set_span_in_context(span, parent))
        try:
            await self._app(scope, receive, send_and_note)
        except BaseException as error:
            span.record_exception(error)
            mark_failed(span, type(error).__name__)
            raise
        finally:
            name_by_route(span, scope)
            span.end()
            otel_context.detach(token)

    def _is_untraced(self, path: str) -> bool:
        return path in UNTRACED_PATHS or path.startswith(self._untraced or ("\0",))

    def _parent(self, scope: Scope, headers: dict[bytes, bytes]) -> otel_context.Context:
        remembered = self._parent_of(scope) if self._parent_of else None
        if remembered:
            return context_of(remembered)
        if self._trust_header and b"traceparent" in headers:
            return context_of(
                headers[b"traceparent"].decode("latin-1"), headers.get(b"tracestate", b"").decode("latin-1")
            )
        return otel_context.Context()


def name_by_route(span: trace.Span, scope: Scope) -> None:
    """Names the span after the route's template, which is known only after routing; ids in names would make each unique."""
    route = scope.get("route")
    template = getattr(route, "path", None)
    if template:
        span.update_name(f"{scope['method']} {template}")
        span.set_attribute("http.route", template)
