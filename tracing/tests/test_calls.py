"""Calls between services: on which hosts both sides were, and how long what was said was on its way."""

from __future__ import annotations

from dataclasses import replace

from tracing.calls import calls, calls_in
from tracing.model import Span, Trace
from tracing.tests.traces import span, trace


def on(host: str, kind: str, made: Span, asks: str = "") -> Span:
    """A span of a kind, by a process of that host. `asks`: whom it asks over HTTP."""
    asked = {"http.request.method": "GET", "peer.service": asks} if asks else {}
    return replace(made, kind=kind, resource={"host.name": host}, attributes=asked)


def page() -> Trace:
    """web asks catalog beside it, inventory far away, and orders, which says nothing; and reads its own table."""
    return trace(
        on("near", "server", span("a", "", "web GET /events/{event_id}", 0, 400)),
        on("near", "client", span("b", "a", "web GET /events/{event_id}", 10, 30), "catalog"),
        on("near", "server", span("c", "b", "catalog GET /events/{event_id}", 12, 28)),
        on("near", "client", span("d", "a", "web GET /events/{event_id}/seats", 40, 160), "inventory"),
        on("far", "server", span("e", "d", "inventory GET /events/{event_id}/seats", 90, 110)),
        on("near", "client", span("f", "a", "web GET /orders", 200, 210), "orders"),
        on("near", "client", span("g", "a", "web sessions.find", 220, 225)),
    )


def test_each_call_over_http_is_found_with_both_sides() -> None:
    found = [(call.client.span_id, call.server.span_id if call.server else None) for call in calls_in(page())]
    assert found == [("b", "c"), ("d", "e"), ("f", None)]


def test_only_a_call_whose_sides_are_on_two_hosts_is_between_hosts() -> None:
    assert [call.is_between_hosts for call in calls_in(page())] == [False, True, False]


def test_what_the_callee_did_not_do_itself_was_spent_on_the_way() -> None:
    assert [round(call.on_the_way_seconds, 3) for call in calls_in(page())] == [0.004, 0.1, 0.01]


def test_calls_of_one_to_some_others_can_be_asked_for() -> None:
    assert [call.client.span_id for call in calls([page()], "web", "inventory", "orders")] == ["d", "f"]
    assert calls([page()], "orders", "inventory") == []
