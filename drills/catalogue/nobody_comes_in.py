"""The doors are open, and nobody comes in."""

from collections.abc import Sequence

from drills.model import Answer, Drill, fault
from drills.queue import Waited, wait_for_my_turn
from drills.stage import Question
from tracing.model import Span, Trace

LEFT = "onsale.places_left"


def symptom(waited: Waited) -> str | None:
    """Alone in the queue, and it is not their turn."""
    if waited.phase in {"turn", "inside"}:
        return None
    return f"I am the only one who waits, and the page says: {' '.join(waited.page.headings)}"


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Steps that take it that no place is left, where the answer that they have just been given says that there are some."""
    return [
        step
        for trace in traces
        for step in trace.spans
        if step.name == "waitingroom.step" and step.attributes.get(LEFT) == 0 and _places_said(trace, step) > 0
    ]


def _places_said(trace: Trace, step: Span) -> int:
    said = [
        int(str(answer.attributes.get(LEFT, 0)))
        for call in trace.children_of(step)
        for answer in trace.children_of(call)
        if answer.service == "inventory"
    ]
    return max(said, default=0)


DRILL = Drill(
    name="nobody-comes-in",
    report="The sale has begun and I am the first in the queue, but it never becomes my turn. It says that all is in carts.",
    environments=fault("waitingroom", "mix-up-left-and-in-carts"),
    journey=wait_for_my_turn,
    symptom=symptom,
    question=Question("waitingroom", "waitingroom.step"),
    evidence=evidence,
    answer=Answer("waitingroom", ("waitingroom.step",)),
)
