"""Taking places takes seconds; all pages are quick."""

from collections.abc import Sequence

from drills.journeys import buy_places
from drills.model import Answer, Drill, Link
from drills.stage import Question
from local.buyer import Purchase
from tracing.calls import calls
from tracing.model import Span, Trace

DELAY_MS = 350.0
SLOW_MS = 1300.0
MUCH_SLOWER = 4
LEAST_CALLS = 3


def symptom(purchase: Purchase) -> str | None:
    """The step in which places are held takes long, and the pages before it do not."""
    steps = {name: ms for name, ms, _ in purchase.steps}
    held_ms = steps.get("hold places", 0.0)
    if held_ms < max(SLOW_MS, MUCH_SLOWER * steps.get("open the event", 0.0)):
        return None
    return f"To hold the places took {held_ms / 1000:.1f} s."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Every call between two hosts takes as much longer than the work that was asked for."""
    between = [call for call in calls(traces, "orders", "inventory", "catalog") if call.is_between_hosts]
    late = [call.client for call in between if call.on_the_way_seconds > 1.8 * DELAY_MS / 1000]
    return late if len(late) == len(between) >= LEAST_CALLS else []


DRILL = Drill(
    name="slow-to-hold",
    report="I press the button to hold my places and wait and wait. All pages before that come at once.",
    environments={},
    journey=buy_places,
    symptom=symptom,
    question=Question("orders", "orders.reserve_places"),
    evidence=evidence,
    answer=Answer(
        "orders", ("GET /events/{event_id}", "PUT /events/{event_id}/holds/{hold_id}", "POST /events/*/commit")
    ),
    links=(Link(("shop", "money"), delay_ms=DELAY_MS),),
)
