"""Pages of events do not say how many places are left."""

from drills.errands import look_at_all_events
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from local.browser import Page
from tracing.model import Span, Trace

SENTENCE = "We cannot see at the moment how many places are left."
MANY = 8
CALL = "GET /events/{event_id}/availability"


def symptom(pages: list[Page]) -> str | None:
    """Somebody reads the sentence above a page."""
    blind = [page for page in pages if SENTENCE in page.text]
    return f"{len(blind)} of {len(pages)} pages say: {SENTENCE}" if blind else None


def evidence(trace: Trace) -> list[Span]:
    """One request asks the same again and again, and is refused every time."""
    return [
        parent
        for parent in trace.spans
        if parent.service == "web"
        and sum(
            call.is_error and call.name == CALL and call.attributes.get("http.request.resend_count", 0) != 0
            for call in trace.children_of(parent)
        )
        >= MANY
    ]


DRILL = Drill(
    name="places-unseen",
    report="When there is some traffic, the pages of events say that you cannot see how many places are left.",
    environments={**fault("web", "try-until-it-works"), **fault("inventory", "rest-between-looks")},
    journey=look_at_all_events,
    symptom=symptom,
    question=Question("web", CALL),
    evidence=each_trace(evidence),
    answer=Answer("web", (CALL, "GET /events/{event_id}")),
)
