"""Tickets can be looked at, and not be printed."""

from collections.abc import Sequence

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, fault
from drills.stage import Question
from tracing.model import Span, Trace

# As a browser asks for it, and as it is asked for to be mailed.
PDF = "GET /orders/{order_id}/tickets.pdf"
MAILED = "POST /orders/{order_id}/tickets.pdf"
FAILED_STATUS = 500


def symptom(seen: Followed) -> str | None:
    """The PDF is an error."""
    if seen.pdf_status is None or seen.pdf_status < FAILED_STATUS:
        return None
    return f"My order is confirmed. Its PDF is an error ({seen.pdf_status}), and there is no e-mail."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """A call that fails with no span of the callee under it, and another process of the callee that starts after it.

    In between no process has said that it stops: the one before did not end in good order.
    """
    starts = _moments(traces, "start tickets")
    stops = _moments(traces, "stop tickets")
    cut_off = [
        span
        for trace in traces
        for span in trace.spans
        if span.kind == "client"
        and span.is_error
        and span.attributes.get("peer.service") == "tickets"
        and not trace.children_of(span)
    ]
    return [span for span in cut_off if any(_died(span, start, stops) for start in starts)]


def _moments(traces: Sequence[Trace], name: str) -> list[int]:
    return [span.start_ns for trace in traces for span in trace.spans if span.name == name]


def _died(call: Span, start_ns: int, stops: list[int]) -> bool:
    return call.start_ns < start_ns and not any(call.start_ns < stop < start_ns for stop in stops)


DRILL = Drill(
    name="no-pdf",
    report="My order is confirmed, but the e-mail does not come, and whoever presses on the PDF gets an error.",
    environments=fault("tickets", "print-from-pictures"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("tickets"),
    evidence=evidence,
    answer=Answer("tickets", (PDF, MAILED, "tickets.print_tickets", "start tickets")),
)
