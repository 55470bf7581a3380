"""Edges in traces: who asked whom, who heard and watched what; and what of it is not as the contracts say."""

from dataclasses import replace

import pytest

from contracts.completeness.edges import Need
from contracts.completeness.seen import seen, unlike_contracts
from contracts.pactfile import Edge
from tracing.model import Span
from tracing.tests.traces import TRACE_ID, span, trace

SERVICES = ("web", "orders", "accounts")
ASKED = Need(Edge("web", "asks", "orders"), "GET /orders/{order_id}")
HEARD = Need(Edge("web", "hears", "orders"), "events.orders.order_confirmed.v1")


def a_call(caller: str, provider: str, route: str = "/orders/{order_id}", kind: str = "client") -> tuple[Span, Span]:
    """What one service asked another, as the spans of both."""
    attributes = {"http.request.method": "GET", "http.route": route}
    asked = replace(span("a", "", f"{caller} GET"), kind=kind)
    return asked, replace(span("b", "a", f"{provider} GET {route}", attributes=attributes), kind="server")


def test_a_call_is_an_edge_of_its_caller_by_method_and_route() -> None:
    assert seen([trace(*a_call("web", "orders"))], SERVICES) == {ASKED: TRACE_ID}


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("process events.orders.order_confirmed.v1", HEARD),
        ("hear events.orders.order_confirmed.v1", HEARD),
        ("process bus.orders.order_changed", Need(Edge("web", "watches", "orders"), "bus.orders.order_changed")),
    ],
    ids=["an inbox", "a listener", "the bus"],
)
def test_what_a_service_receives_is_an_edge_by_its_subject(name: str, need: Need) -> None:
    assert seen([trace(span("a", "", f"web {name}"))], SERVICES) == {need: TRACE_ID}


@pytest.mark.parametrize(
    "spans",
    [
        a_call("browser", "web"),
        a_call("web", "bank"),
        a_call("orders", "accounts", "/.well-known/jwks.json"),
        a_call("web", "orders", kind="internal"),
        (span("a", "", "orders create events.orders.order_confirmed.v1"),),
        (span("a", "", "web process a form"),),
    ],
    ids=["a browser", "a stranger", "people's keys", "no call", "who tells", "another span"],
)
def test_what_is_no_need_of_one_service_is_no_edge(spans: tuple[Span, ...]) -> None:
    assert seen([trace(*spans)], SERVICES) == {}


def test_what_was_seen_and_is_under_no_contract_is_reported_with_its_trace() -> None:
    (sentence,) = unlike_contracts({ASKED: TRACE_ID, HEARD: TRACE_ID}, {HEARD: '"a confirmed order"'})
    assert sentence.startswith(
        f"web asks GET /orders/{{order_id}} of orders in trace {TRACE_ID}, but that is under no contract"
    )


def test_what_is_under_contract_and_was_never_seen_is_reported_with_its_interaction() -> None:
    (sentence,) = unlike_contracts({ASKED: TRACE_ID}, {ASKED: '"an order"', HEARD: '"a confirmed order"'})
    assert sentence.startswith(
        'web has a contract for events.orders.order_confirmed.v1 of orders ("a confirmed order"), but never hears it'
    )
