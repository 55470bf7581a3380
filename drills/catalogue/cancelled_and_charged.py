"""Somebody cancelled an order, was told so, and has paid for it all the same."""

from drills.errands import Cancelled, cancel_while_paying
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

GIVEN_UP = frozenset({"cancelling", "cancelled"})
CANCEL = "POST /orders/{order_id}/cancel"
OK = 200
# Slow enough to cancel between the bank's answer and the shop's next step.
ANSWER_SECONDS = "1.2"


def symptom(seen: Cancelled) -> str | None:
    """The answer to the click says one thing, the order another."""
    if seen.answer.datum("order-state") not in GIVEN_UP or seen.end.datum("order-state") != "confirmed":
        return None
    return f"I cancelled: “{seen.answer.headings[0]}” A little later: “{seen.end.headings[0]}”"


def evidence(trace: Trace) -> list[Span]:
    """An order is paid for after its cancellation was accepted: no state leads from there to here."""
    accepted = [
        span.end_ns
        for span in trace.spans
        if span.service == "orders"
        and span.name == CANCEL
        and span.kind == "server"
        and span.attributes.get("http.response.status_code") == OK
    ]
    return [
        span
        for span in trace.spans
        if span.service == "orders"
        and any(event.attributes.get("onsale.happening") == "payment_authorised" for event in span.events)
        and any(event.time_ns > end_ns for event in span.events for end_ns in accepted)
    ]


DRILL = Drill(
    name="cancelled-and-charged",
    report="I changed my mind at the bank and cancelled the order. The shop said that it was cancelled. I was charged, and have tickets.",
    environments={**fault("orders", "read-again-before-writing"), "bank": {"BANK_ANSWER_SECONDS": ANSWER_SECONDS}},
    journey=cancel_while_paying,
    symptom=symptom,
    question=Question("orders", CANCEL),
    evidence=each_trace(evidence),
    answer=Answer(
        "orders",
        (
            "orders.payment_authorised",
            "orders.refresh_order",
            "POST /orders/{order_id}/refresh",
            "orders.advance_order",
        ),
    ),
)
