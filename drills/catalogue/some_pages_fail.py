"""The pages of some events do not open, and every service says that it is well."""

from drills.errands import look_at_all_events
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from local.browser import Page
from tracing.model import Span, Trace

ROUTE = "GET /events/{event_id}"
SERVER_ERROR = 500


def symptom(pages: list[Page]) -> str | None:
    """Some pages are errors."""
    bad = [page for page in pages if page.status >= SERVER_ERROR]
    return f"{len(bad)} of {len(pages)} events: {bad[0].headings[0]}" if bad else None


def evidence(trace: Trace) -> list[Span]:
    """A page fails although whoever was asked for it answered well: the answer was not understood."""
    return [
        call
        for page in trace.spans
        if page.service == "web" and page.kind == "server" and page.name == ROUTE and page.is_error
        if any(event.name == "answer not understood" for event in page.events)
        for call in trace.children_of(page)
        if call.kind == "client" and call.name == ROUTE and _is_good(trace, call)
    ]


def _is_good(trace: Trace, call: Span) -> bool:
    answers = [below for below in trace.children_of(call) if below.service == "catalog"]
    return not call.is_error and bool(answers) and not any(below.is_error for below in answers)


DRILL = Drill(
    name="some-pages-fail",
    report="The page of the festival does not open. The theatre's does.",
    # What the pages remember from before would be shown for a minute.
    environments={**fault("catalog", "no-street-under-the-open-sky"), "web": {}},
    journey=look_at_all_events,
    symptom=symptom,
    question=Question("web", ROUTE),
    evidence=each_trace(evidence),
    answer=Answer("catalog", (ROUTE,)),
)
