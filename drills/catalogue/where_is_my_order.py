"""My orders does not list what was ordered a moment ago; the replica is some seconds behind."""

import asyncio
from urllib.parse import urlsplit

from drills.customer import events_with_places, hold_a_place_and_list
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question, Stage
from tracing.model import Span, Trace

BEHIND_SECONDS = 6.0
# A process that has just started does not know how old the replica is, and asks the primary until it does.
PAUSE_SECONDS = 1.0


async def journey(stage: Stage) -> bool:
    """Somebody holds a place and opens My orders. Whether it is there."""
    (url,) = await events_with_places(stage)
    order, listed = await hold_a_place_and_list(url)
    is_listed = urlsplit(order).path in {urlsplit(each).path for each in listed}
    if is_listed:
        await asyncio.sleep(PAUSE_SECONDS)
    return is_listed


def symptom(is_listed: bool) -> str | None:
    """The order is there, and the list has none."""
    return None if is_listed else "My place is held, and My orders says: No orders yet."


def evidence(trace: Trace) -> list[Span]:
    """The list was read from a replica, by a policy that does not mind what its reader has written."""
    asked = [
        span
        for span in trace.spans
        if span.service == "orders" and span.kind == "server" and span.name == "GET /orders"
        if str(span.attributes.get("onsale.db.policy", "")).startswith("up to")
    ]
    return [
        span
        for span in trace.spans
        if span.name == "orders.orders_of_person" and span.attributes.get("onsale.db.role") == "replica"
        if any(above in asked for above in trace.ancestors_of(span))
    ]


DRILL = Drill(
    name="where-is-my-order",
    report="I hold a place: its page says so. When I open My orders it is not listed. A moment later it is there.",
    environments=fault("orders", "a-list-may-be-old"),
    journey=journey,
    symptom=symptom,
    question=Question("orders", "GET /orders"),
    evidence=each_trace(evidence),
    answer=Answer("orders", ("orders.orders_of_person", "GET /orders")),
    tries=12,
    behind_seconds=BEHIND_SECONDS,
)
