"""Whoever wants to hold places waits long, and is told to try again."""

from collections.abc import Sequence

from drills.journeys import buy_places
from drills.model import Answer, Drill, Link
from drills.stage import Question
from local.buyer import Purchase
from tracing.calls import calls
from tracing.model import Span, Trace


def symptom(purchase: Purchase) -> str | None:
    """The step in which places are held fails."""
    failure = purchase.failure
    return f"To hold places: {failure.reason}" if failure is not None and failure.step == "hold places" else None


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Calls that end in an error with no server span under them; not a single one has arrived."""
    made = calls(traces, "orders", "accounts", "catalog", "inventory")
    silent = [call.client for call in made if call.server is None and call.client.is_error]
    return silent if not any(call.server for call in made) else []


DRILL = Drill(
    name="nothing-can-be-held",
    report="The shop looks well, but nobody can hold places: after a long wait it says to press the button again.",
    environments={},
    journey=buy_places,
    symptom=symptom,
    question=Question("orders", "POST /orders"),
    evidence=evidence,
    answer=Answer(
        "orders", ("GET /.well-known/jwks.json", "GET /events/{event_id}", "PUT /events/{event_id}/holds/{hold_id}")
    ),
    links=(Link(("shop", "money"), partition=True),),
    tries=2,
)
