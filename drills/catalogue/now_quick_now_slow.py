"""The same page comes at once, or after a second, or not at all."""

from collections.abc import Sequence

from drills.journeys import Visit, reload_an_order
from drills.model import Answer, Drill, Link
from drills.stage import Question
from tracing.calls import calls
from tracing.model import Span, Trace

SLOW_SECONDS = 0.4
# The kernel sends a packet again after 200 ms at the earliest.
AGAIN_SECONDS = 0.19
QUICK_SECONDS = 0.1
LEAST = 2


def symptom(visits: Sequence[Visit]) -> str | None:
    """Some of the same visits are much slower than others, or fail."""
    failed = [one for one in visits if one.page.status >= 500]
    slow = [one for one in visits if one.seconds > SLOW_SECONDS]
    quick = [one for one in visits if one.seconds < SLOW_SECONDS / 2 and one not in failed]
    if not quick or len(slow) + len(failed) < LEAST:
        return None
    return f"Of {len(visits)} times the page came {len(quick)} times at once, {len(slow)} times late, {len(failed)} times not."


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """Calls from web's host to that of orders are quick, or late by what it takes to send a packet again; others never are."""
    to_orders = calls(traces, "web", "orders")
    again = [call.client for call in to_orders if call.on_the_way_seconds > AGAIN_SECONDS]
    quick = [call for call in to_orders if call.is_between_hosts and call.on_the_way_seconds < QUICK_SECONDS]
    elsewhere = [
        call
        for call in calls(traces, "web", "catalog", "inventory", "accounts")
        if call.on_the_way_seconds > AGAIN_SECONDS
    ]
    return again if len(again) >= LEAST + len(elsewhere) and quick else []


DRILL = Drill(
    name="now-quick-now-slow",
    report="I reload the page of my order: mostly it is there at once, then again it takes ages or says that something does not answer.",
    environments={},
    journey=reload_an_order,
    symptom=symptom,
    question=Question("web", "GET /orders/{order_id}"),
    evidence=evidence,
    answer=Answer("web", ("GET /orders/{order_id}",)),
    links=(Link(("edge", "money"), loss_percent=45.0),),
)
