"""A process that is killed may have sent all of its spans, some, or none: the fault is seen each time, and only then."""

from drills.catalogue.an_error_after_paying import DRILL
from tracing.model import Span, Status, Trace

TRACE_ID = "a" * 32


def span(span_id: str, parent_id: str, name: str, at: int, *, of: str = "orders/1", error: bool = False) -> Span:
    service, _, instance = of.partition("/")
    return Span(
        trace_id=TRACE_ID,
        span_id=span_id,
        parent_id=parent_id,
        name=name,
        kind="client" if service == "web" else "server",
        service=service,
        start_ns=at,
        end_ns=at + 1,
        status=Status("error") if error else Status(),
        resource={"service.instance.id": instance},
    )


UNANSWERED = span("1", "", "POST /orders/{order_id}/refresh", 10, of="web/1", error=True)
SENT = span("9", "8", "send events.orders.order_confirmed.v1", 90, of="orders/2")
CREATED = span("8", "1", "create events.orders.order_confirmed.v1", 20)


def proved(*spans: Span) -> list[Span]:
    return DRILL.evidence([Trace(TRACE_ID, spans)])


def test_a_fact_sent_by_the_successor_of_its_maker_is_evidence() -> None:
    assert proved(UNANSWERED, CREATED, SENT) == [SENT]


def test_so_it_is_if_only_something_older_of_the_killed_process_arrived() -> None:
    assert proved(UNANSWERED, span("2", "1", "POST /orders", 2), SENT) == [SENT]


def test_so_it_is_if_the_killed_process_left_nothing_and_only_its_caller_noticed() -> None:
    assert proved(UNANSWERED, SENT) == [SENT]


def test_so_it_is_if_the_successor_did_something_before_it_sent_the_fact() -> None:
    looked = span("7", "6", "GET /orders/{order_id}", 50, of="orders/2")
    assert proved(UNANSWERED, looked, SENT) == [SENT]


def test_a_fact_sent_by_its_maker_is_none() -> None:
    assert proved(UNANSWERED, span("8", "1", CREATED.name, 20, of="orders/2"), SENT) == []


def test_a_trace_without_a_failed_call_is_none() -> None:
    answered = span("1", "", UNANSWERED.name, 10, of="web/1")
    assert proved(answered, SENT) == []
