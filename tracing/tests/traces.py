"""Traces made by hand, for tests that need no store."""

from __future__ import annotations

from tracing.model import Attributes, Link, Span, Status, Trace

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
MS = 1_000_000


def span(
    span_id: str,
    parent_id: str,
    text: str,
    start_ms: int = 0,
    end_ms: int = 10,
    *,
    error: str | None = None,
    attributes: Attributes | None = None,
    links: tuple[Link, ...] = (),
) -> Span:
    """`text` is "service name of the span"."""
    service, _, name = text.partition(" ")
    status = Status() if error is None else Status("error", error)
    times = (start_ms * MS, end_ms * MS)
    return Span(TRACE_ID, span_id, parent_id, name, "internal", service, *times, attributes or {}, (), links, status)


def trace(*spans: Span) -> Trace:
    """In the order of their starts, as the reader gives them."""
    return Trace(TRACE_ID, tuple(sorted(spans, key=lambda one: one.start_ns)))


def purchase() -> Trace:
    """web -> (a client span) -> orders -> payments, which needs two attempts; tickets hears the fact."""
    return trace(
        span("a", "", "web POST /checkout", 0, 100),
        span("b", "a", "web POST /orders", 5, 90),
        span("c", "b", "orders POST /orders", 10, 85),
        span("d", "c", "orders POST /payments", 20, 40, error="no answer"),
        span("e", "c", "orders POST /payments", 45, 80, attributes={"http.request.resend_count": 1}),
        span("f", "e", "payments POST /payments", 50, 75),
        span(
            "g",
            "c",
            "tickets process events.orders.order_confirmed.v1",
            120,
            200,
            attributes={"messaging.delivery_count": 2},
            links=(Link(TRACE_ID, "c", {}), Link("b" * 32, "1" * 16, {})),
        ),
    )
