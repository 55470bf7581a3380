"""An event was renamed; the list has the new name, the event's page the old one."""

from collections.abc import Sequence

from drills.model import Answer, Drill, fault
from drills.organiser import Renamed, rename_an_event
from drills.stage import Question
from tracing.model import Span, Trace

FACT = "events.catalog.event_published.v1"
PAGE = "GET /events/{event_id}"


def symptom(renamed: Renamed) -> str | None:
    """The list and the page differ."""
    if renamed.name not in renamed.listing.text or renamed.name in renamed.event.text:
        return None
    return f"The list has “{renamed.name}”; the page is still called “{renamed.event.headings[0]}”."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """A page is made of something kept that is older than the fact which was heard before, and should have dropped it."""
    spans = [span for trace in traces for span in trace.spans if span.service == "web"]
    heard = [span for span in spans if span.name == f"hear {FACT}"]
    return [
        page
        for page in spans
        if page.name == PAGE and page.kind == "server"
        for since_ns in _kept_since(page)
        for fact in heard
        if _is_about(page, fact) and since_ns < fact.start_ns and fact.end_ns < page.start_ns
    ]


def _kept_since(page: Span) -> list[int]:
    """When the answers were asked for that this page took from the cache of events, in nanoseconds."""
    return [
        event.time_ns - int(str(event.attributes.get("onsale.cache.age_ms", 0))) * 1_000_000
        for event in page.events
        if event.name == "cache"
        and event.attributes.get("onsale.cache.name") == "events"
        and event.attributes.get("onsale.cache.outcome") == "hit"
    ]


def _is_about(page: Span, fact: Span) -> bool:
    event_id = str(fact.attributes.get("onsale.event_id", "?"))
    return event_id in str(page.attributes.get("url.path", ""))


DRILL = Drill(
    name="old-title",
    report="We renamed our reading. Your list of events has the new name; when I open it, the page still has the old one.",
    environments=fault("web", "drop-by-another-key"),
    journey=rename_an_event,
    symptom=symptom,
    question=Question("web"),
    evidence=evidence,
    answer=Answer("web", (f"hear {FACT}", PAGE)),
)
