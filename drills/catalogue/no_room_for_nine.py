"""Two seats can be taken, nine cannot."""

from drills.errands import hold_seats_for_a_class
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from local.browser import Page
from tracing.model import Span, Trace

TOO_LARGE = 413
REFUSAL = "body_too_large"


def symptom(page: Page) -> str | None:
    """A page with an error instead of an order."""
    if page.status != TOO_LARGE:
        return None
    return f"Instead of my order: {page.headings[0]}"


def evidence(trace: Trace) -> list[Span]:
    """Refused at the edge: a span without a route and without anything below it."""
    return [
        span
        for span in trace.spans
        if span.service == "web"
        and span.kind == "server"
        and span.attributes.get("onsale.refusal") == REFUSAL
        and not trace.children_of(span)
    ]


DRILL = Drill(
    name="no-room-for-nine",
    report="I can take two seats. For my class of nine I only get a page with an error, whichever seats I choose.",
    environments=fault("web", "limit-in-the-wrong-unit"),
    journey=hold_seats_for_a_class,
    symptom=symptom,
    question=Question("web", attributes={"onsale.refusal": REFUSAL}),
    evidence=each_trace(evidence),
    answer=Answer("web", ("POST", "POST /events/*")),
)
