"""The SERVER span of an HTTP request. Small on purpose: the stock instrumentation costs twice as much per request."""

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tracing.spans import context_of, link_of, mark_failed, note_error, tracer

Scope = dict[str, Any]
ParentOf = Callable[[Scope], str | None]
IsOurs = Callable[[Mapping[bytes, bytes]], bool]

UNTRACED_PATHS = frozenset({"/livez", "/readyz", "/load", "/metrics"})
SWITCHING_PROTOCOLS = 101
FORBIDDEN = 403
SERVER_ERROR = 500
# Where a scope keeps the method that was asked for, if it is answered by another (HEAD by GET).
ASKED_METHOD = "onsale_asked_method"
# Where a scope says what carried the request, if it is not HTTP: NATS.
CARRIED_BY = "onsale_carried_by"
# Others are invented by strangers: a name of theirs in a span's would be one more each time.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TracingMiddleware:
    """Wraps an ASGI application: one SERVER span a request, and an `X-Trace-Id` header on every response.

    `parent_of` may name another parent (a traceparent) than the request's own header: an edge that trusts no
    header from outside continues a trace that it remembers itself. `is_ours` says of a request's headers whether one of our own
    sends them. Whoever else names a trace is linked to it: neither which trace this is nor whether it is kept is a stranger's to say.
    `streams` are prefixes of paths whose responses live for minutes: their span ends when the response begins, and so does the one of
    a socket.
    """

    def __init__(
        self,
        app: Any,
        *,
        parent_of: ParentOf | None = None,
        is_ours: IsOurs | None = None,
        streams: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self._parent_of = parent_of
        self._is_ours = is_ours
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in UNTRACED_PATHS:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        parent, is_remembered = self._parent(scope, headers)
        stranger = None if is_remembered else _stranger(parent, headers)
        span = tracer().start_span(
            _method_of(scope, "HTTP"),
            context=parent,
            kind=SpanKind.SERVER,
            attributes=_attributes_of(scope, is_remembered),
            links=[stranger] if stranger else None,
        )
        is_stream = scope["path"].startswith(self._streams or ("\0",))
        trace_id = f"{span.get_span_context().trace_id:032x}".encode()
        has_begun = False

        async def send_and_note(message: Any) -> None:
            nonlocal has_begun
            if not has_begun and (status := _status_of(message)) is not None:
                has_begun = True
                _note_status(span, status)
                message["headers"] = [*message.get("headers", []), (b"x-trace-id", trace_id)]
                if is_stream:
                    span.set_attribute("onsale.stream", True)
                    name_by_route(span, scope)
                    span.end()
            await send(message)

        token = otel_context.attach(trace.set_span_in_context(span, parent))
        try:
            await self._app(scope, receive, send_and_note)
        except BaseException as error:
            note_error(span, error)
            raise
        finally:
            if span.is_recording():
                name_by_route(span, scope)
                span.end()
            otel_context.detach(token)

    def _parent(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[otel_context.Context, bool]:
        """The context to continue, and whether it is one that this service remembered itself."""
        remembered = self._parent_of(scope) if self._parent_of else None
        if remembered:
            return context_of(remembered), True
        if b"traceparent" in headers and self._is_ours is not None and self._is_ours(headers):
            parent, state = headers[b"traceparent"].decode("latin-1"), headers.get(b"tracestate", b"").decode("latin-1")
            return context_of(parent, state), False
        return otel_context.Context(), False


def _stranger(parent: otel_context.Context, headers: dict[bytes, bytes]) -> trace.Link | None:
    """A link to the trace that a request names and that is not gone on with."""
    if trace.get_current_span(parent).get_span_context().is_valid:
        return None
    return link_of(headers.get(b"traceparent", b"").decode("latin-1"), "named by a stranger")


def _status_of(message: Any) -> int | None:
    """The status with which an answer begins, also that of a socket; None if this message begins none."""
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return SWITCHING_PROTOCOLS
        case "websocket.close":
            # It refuses a socket that was not accepted.
            return FORBIDDEN
    return None


def _method_of(scope: Scope, other: str) -> str:
    asked = str(scope.get(ASKED_METHOD) or scope.get("method", "GET"))
    return asked if asked in METHODS else other


def _attributes_of(scope: Scope, is_remembered: bool) -> dict[str, str | bool]:
    attributes: dict[str, str | bool] = {
        "http.request.method": _method_of(scope, "_OTHER"),
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
    }
    if carrier := scope.get(CARRIED_BY):
        attributes["network.protocol.name"] = carrier
    if is_remembered:
        attributes["onsale.remembered_parent"] = True
    return attributes


def _note_status(span: trace.Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= SERVER_ERROR:
        span.set_attribute("error.type", str(status))
        mark_failed(span, f"answered {status}")


def name_by_route(span: trace.Span, scope: Scope) -> None:
    """Names the span after the route's template, which is known only after routing; ids in names would make each unique."""
    route = scope.get("route")
    template = getattr(route, "path", None)
    if template:
        span.update_name(f"{_method_of(scope, 'HTTP')} {template}")
        span.set_attribute("http.route", template)
