"""Paid, and the tickets never come."""

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

SUBJECT = "events.orders.order_confirmed.v1"
MANY_DELIVERIES = 5


def symptom(seen: Followed) -> str | None:
    """The order is confirmed, and nothing follows."""
    if seen.failure or seen.state != "confirmed" or seen.tickets_after is not None or seen.errors:
        return None
    return "My order is confirmed and paid. There are no tickets on its page, and no e-mail has come."


def evidence(trace: Trace) -> list[Span]:
    """One message is delivered again and again, fails each time, and is buried in the end."""
    buried = [
        above
        for span in trace.spans
        if span.name == "inbox.bury"
        for above in trace.ancestors_of(span)
        if above.kind == "consumer"
    ]
    return [span for span in buried if _deliveries(trace, span) >= MANY_DELIVERIES]


def _deliveries(trace: Trace, last: Span) -> int:
    of_same = {
        span.attributes.get("onsale.delivery")
        for span in trace.spans
        if span.name == last.name
        and span.is_error
        and span.attributes.get("messaging.message.id") == last.attributes.get("messaging.message.id")
    }
    return len(of_same)


DRILL = Drill(
    name="paid-and-no-tickets",
    report="I paid for two standing places, and my tickets never come. A friend who bought seats has hers.",
    environments=fault("tickets", "every-ticket-has-a-seat"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("tickets", f"process {SUBJECT}"),
    evidence=each_trace(evidence),
    answer=Answer("tickets", (f"process {SUBJECT}", "tickets.issue_tickets", "inbox.bury")),
)
