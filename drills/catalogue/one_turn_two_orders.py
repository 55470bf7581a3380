"""One turn in the queue is good for two orders."""

from collections import Counter
from collections.abc import Sequence

from drills.model import Answer, Drill, fault
from drills.queue import Bought, use_a_turn_twice
from drills.stage import Question
from tracing.model import Span, Trace

USED = "onsale.pass_id"


def symptom(bought: Bought) -> str | None:
    """Both tabs end at an order."""
    return "I came in once, pressed in two tabs, and have two orders for one turn." if bought.orders > 1 else None


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Holds that were granted with a pass that another hold was granted with."""
    granted = [
        span
        for trace in traces
        for span in trace.spans
        if span.name == "inventory.hold_places" and span.attributes.get("onsale.hold_state") == "held"
    ]
    uses = Counter(span.attributes[USED] for span in granted if USED in span.attributes)
    return [span for span in granted if uses[span.attributes.get(USED)] > 1]


DRILL = Drill(
    name="one-turn-two-orders",
    report="I waited my turn, and my neighbour had two orders from one turn while I got none. Is that how it is meant?",
    environments=fault("inventory", "look-at-passes-only"),
    journey=use_a_turn_twice,
    symptom=symptom,
    question=Question("inventory", "inventory.hold_places"),
    evidence=evidence,
    answer=Answer(
        "inventory", ("inventory.hold_places", "inventory.take_passes", "PUT /events/{event_id}/holds/{hold_id}")
    ),
)
