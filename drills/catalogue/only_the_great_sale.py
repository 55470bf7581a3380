"""While one event sells, nobody gets at the others."""

from collections import Counter
from collections.abc import Sequence

from drills.model import Answer, Drill, fault
from drills.rush import CROWD, Rushed, want_something_else_in_a_rush
from drills.stage import Question
from tracing.model import Span, Trace

WAIT = "web.wait_for_turn"
SHARE = 0.8
LONG_SECONDS = 0.2
FEW = 2


def symptom(seen: Rushed) -> str | None:
    """Who wants something that nobody else wants gets it when nearly all of a crowd have got another thing."""
    if seen.before < SHARE * CROWD:
        return None
    return f"Nobody else wants my event, and I waited {seen.other:.1f} s: {seen.before} who want the other one were served first."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Somebody waits long for a turn, and hardly anybody else waits for one of the same event."""
    waits = [span for trace in traces for span in trace.spans if span.name == WAIT]
    wanted = Counter(span.attributes.get("onsale.event_id") for span in waits)
    return [
        span
        for span in waits
        if wanted[span.attributes.get("onsale.event_id")] <= FEW and span.duration_ns > LONG_SECONDS * 1e9
    ]


DRILL = Drill(
    name="only-the-great-sale",
    report="Since this morning everybody buys for the stadium. I want one place in our village hall, and I wait and wait.",
    environments=fault("web", "one-line-for-all"),
    journey=want_something_else_in_a_rush,
    symptom=symptom,
    question=Question("web", WAIT),
    evidence=evidence,
    answer=Answer("web", (WAIT, "POST /events/{event_id}/orders")),
)
