"""An order does not say which seats it is about."""

import re

from drills.errands import hold_seats_for_a_class
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from local.browser import Page
from tracing.model import Span, Trace

OLDER = "0.0.9"
# The page shows what was answered when the order was placed; later what is answered about it.
PLACED, READ = "POST /orders", "GET /orders/{order_id}"
_NAMED = re.compile(r"\bSeat \d|\bRow ", re.IGNORECASE)


def symptom(page: Page) -> str | None:
    """Somebody reads their order."""
    if page.datum("order-number") is None or _NAMED.search(page.text):
        return None
    return "My order says what it costs, and not which seats I have."


def evidence(trace: Trace) -> list[Span]:
    """A service answers a caller that is of another version."""
    return [
        answer
        for call in trace.spans
        if call.service == "web" and call.kind == "client" and call.name in {PLACED, READ}
        for answer in trace.children_of(call)
        if answer.service == "orders" and _version(answer) != _version(call)
    ]


def _version(span: Span) -> object:
    return span.resource.get("service.version")


DRILL = Drill(
    name="which-seats",
    report="I took nine seats. The page of my order has the price of each, and does not say which seats they are.",
    environments={"orders": {**fault("orders", "before-lines-named-their-seats")["orders"], "ONSALE_VERSION": OLDER}},
    journey=hold_seats_for_a_class,
    symptom=symptom,
    question=Question("orders", PLACED),
    evidence=each_trace(evidence),
    answer=Answer("orders", (PLACED, READ)),
)
