"""Whoever downloads tickets is told to sign in, and is signed in."""

from drills.errands import Errand, buy_and_print
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

ROUTE = "GET /orders/{order_id}/tickets.pdf"
UNAUTHENTICATED = 401


def symptom(errand: Errand) -> str | None:
    """The download is a page with an error."""
    if errand.printed is None or errand.printed.status != UNAUTHENTICATED:
        return None
    return f"The tickets are on the page, and their PDF says: {errand.printed.headings[0]}"


def evidence(trace: Trace) -> list[Span]:
    """Tickets knows which service asks and not for whom, while other calls of the same trace carried the person."""
    return [
        call
        for call in trace.spans
        if call.service == "web"
        and call.name == ROUTE
        and call.kind == "client"
        and any(_is_without_person(below) for below in trace.children_of(call))
        and any(other.service == "tickets" and _is_good(other) for other in trace.spans)
    ]


def _is_without_person(span: Span) -> bool:
    refusal = span.attributes.get("onsale.refusal")
    return span.kind == "server" and refusal == "not_authenticated" and span.attributes.get("onsale.caller") == "web"


def _is_good(span: Span) -> bool:
    return span.kind == "server" and span.attributes.get("http.response.status_code") == 200


DRILL = Drill(
    name="pdf-signs-me-out",
    report="My tickets are there, with their codes. When I download the PDF, it says that I was signed out.",
    environments=fault("web", "download-without-a-person"),
    journey=buy_and_print,
    symptom=symptom,
    question=Question("tickets", ROUTE),
    evidence=each_trace(evidence),
    answer=Answer("web", (ROUTE,)),
)
