"""The seats of an event that everybody wants do not move."""

from collections.abc import Sequence

from drills.model import Answer, Drill, fault
from drills.rush import Watched, watch_a_busy_map
from drills.stage import Question
from tracing.model import Span, Trace

TELLS = "web.tell_places"
SILENT_SECONDS = 3.5
CHANGES = 4
LATE_SECONDS = 2.5
MANY = 3


def symptom(seen: Watched) -> str | None:
    """Nothing is heard for long while much happens."""
    seconds, changes = seen.longest_silence
    if seconds < SILENT_SECONDS or changes < CHANGES:
        return None
    return f"For {seconds:.1f} s my map stood still, and {changes} times somebody took a seat or gave one back."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """What is told has many causes, and the first of them is long ago: its message was processed long before."""
    found = []
    for trace in traces:
        for tell in trace.spans:
            cause = next(iter(trace.ancestors_of(tell)), None)
            if tell.name != TELLS or cause is None or len(tell.links) < MANY:
                continue
            if tell.start_ns - cause.end_ns > LATE_SECONDS * 1e9:
                found.append(tell)
    return found


DRILL = Drill(
    name="the-busier-the-quieter",
    report="The seats of the big concert do not change for minutes, and then many at once. At small events I see each seat go.",
    environments=fault("web", "gather-until-it-is-quiet"),
    journey=watch_a_busy_map,
    symptom=symptom,
    question=Question("web", TELLS),
    evidence=evidence,
    answer=Answer("web", (TELLS,)),
)
