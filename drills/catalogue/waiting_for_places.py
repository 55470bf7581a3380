"""All that has to do with places takes seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from drills.customer import events_with_places, hold_a_place
from drills.journeys import visit
from drills.model import Answer, Drill, fault
from drills.stage import Question, Stage
from tracing.model import Span, Trace

SLOW_SECONDS = 1.1
TIMES = 3
TRIES = 2
WAIT_SECONDS = 0.7
SHARE = 0.6
ROUTES = 2


@dataclass(frozen=True)
class Waits:
    """The quickest of some tries each, in seconds."""

    for_places: float
    for_list: float


async def hold_places_again_and_again(stage: Stage) -> Waits:
    """Guests hold places one after the other, and look at the list of events in between."""
    url = (await events_with_places(stage))[0]
    both = [
        (await hold_a_place(url, give_back=False), (await visit(stage.addresses["web"])).seconds) for _ in range(TRIES)
    ]
    return Waits(min(seconds for seconds, _ in both), min(seconds for _, seconds in both))


def symptom(seen: Waits) -> str | None:
    """Whoever holds places waits, every time; other pages are quick."""
    if seen.for_places < SLOW_SECONDS or seen.for_places < TIMES * seen.for_list:
        return None
    return f"To hold a place takes {seen.for_places:.1f} s, the list of events {seen.for_list:.1f} s."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Requests of several kinds wait for a connection for most of their time."""
    found: list[Span] = []
    routes: set[str] = set()
    for trace in traces:
        for span in trace.spans:
            if span.service != "inventory" or span.name != "pool.acquire" or span.duration_ns < WAIT_SECONDS * 1e9:
                continue
            above = next((each for each in trace.ancestors_of(span) if each.kind == "server"), None)
            if above is not None and span.duration_ns > SHARE * above.duration_ns:
                found.append(span)
                routes.add(above.name)
    return found if len(routes) >= ROUTES else []


DRILL = Drill(
    name="waiting-for-places",
    report="Since the last release everything is slow that has to do with places: to see what is free, to hold it, to have it confirmed.",
    environments=fault("inventory", "report-while-connected"),
    journey=hold_places_again_and_again,
    symptom=symptom,
    question=Question("inventory", "pool.acquire"),
    evidence=evidence,
    answer=Answer("inventory", ("pool.acquire",)),
)
