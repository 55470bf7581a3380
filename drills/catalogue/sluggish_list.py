"""The first page is slower than any other."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from drills.customer import events_with_places
from drills.journeys import visit
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question, Stage
from tracing.model import Span, Trace

VISITS = 4
TIMES = 5.0
MANY = 5
SHARE = 0.3


@dataclass(frozen=True)
class Visits:
    """The quickest of some visits each, in seconds."""

    of_list: float
    of_event: float


async def compare_list_and_event(stage: Stage) -> Visits:
    """Somebody opens the list of events and one of them in turn."""
    event, shop = (await events_with_places(stage))[0], stage.addresses["web"]
    both = [((await visit(shop)).seconds, (await visit(event)).seconds) for _ in range(VISITS)]
    return Visits(min(seconds for seconds, _ in both), min(seconds for _, seconds in both))


def symptom(seen: Visits) -> str | None:
    """The list takes a multiple of the time of an event's page, however often one tries."""
    if seen.of_list < TIMES * seen.of_event:
        return None
    return f"The list takes {seen.of_list:.2f} s, the page of an event {seen.of_event:.2f} s."


def evidence(trace: Trace) -> list[Span]:
    """Many calls of the same name under one request, each after the one before, fill its time."""
    return [span for span in trace.spans if span.kind == "server" and _is_a_staircase(trace, span)]


def _is_a_staircase(trace: Trace, server: Span) -> bool:
    alike: dict[str, list[Span]] = defaultdict(list)
    for span in trace.children_of(server):
        if span.kind == "client":
            alike[span.name].append(span)
    steps = [
        span
        for same in alike.values()
        if len(same) >= MANY and all(one.end_ns <= next_.start_ns for one, next_ in pairwise(same))
        for span in same
    ]
    return sum(span.duration_ns for span in steps) > SHARE * server.duration_ns


DRILL = Drill(
    name="sluggish-list",
    report="The list of events has become sluggish, and the more events there are the worse it gets. Their own pages are quick.",
    environments=fault("web", "ask-for-each-card"),
    journey=compare_list_and_event,
    symptom=symptom,
    question=Question("web", "GET /"),
    evidence=each_trace(evidence),
    answer=Answer(
        "web",
        ("GET /", "GET /events/{event_id}", "GET /events/{event_id}/availability", "GET /events/{event_id}/seats"),
    ),
)
