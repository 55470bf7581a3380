"""The page of an event with seats takes seconds."""

from collections.abc import Sequence

from drills.journeys import Visit, look_at_seats
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

SLOW_SECONDS = 1.0
MUCH_SLOWER = 5
SHARE = 0.6


def symptom(visits: Sequence[Visit]) -> str | None:
    """Somebody waits for a page with seats, and for no other."""
    listing, *pages = [one.seconds for one in visits]
    slowest = max(pages)
    if slowest < max(SLOW_SECONDS, MUCH_SLOWER * listing):
        return None
    return f"The page came after {slowest:.1f} s, the list of events after {listing:.1f} s."


def evidence(trace: Trace) -> list[Span]:
    """One statement takes most of the time of its request."""
    return [
        span
        for span in trace.spans
        if span.service == "inventory"
        and "db.query.text" in span.attributes
        and span.duration_ns > SLOW_SECONDS * 1e9 / 2
        and any(
            above.kind == "server" and span.duration_ns > SHARE * above.duration_ns
            for above in trace.ancestors_of(span)
            if above.service == "inventory"
        )
    ]


DRILL = Drill(
    name="slow-seat-map",
    report="The page of an event with seats takes seconds to open. Other pages are quick.",
    environments=fault("inventory", "join-without-a-condition"),
    journey=look_at_seats,
    symptom=symptom,
    question=Question("inventory"),
    evidence=each_trace(evidence),
    answer=Answer("inventory", ("inventory.taken_seats", "GET /events/{event_id}/seats")),
)
