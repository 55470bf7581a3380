"""Somebody has paid, and the order waits for the payment."""

from drills.errands import PATIENCE_SECONDS, pay_and_leave
from drills.model import Answer, Drill, each_trace
from drills.stage import Question
from local.browser import Page
from tracing.model import Span, Trace

ROUTE = "POST /webhooks/bank"


def symptom(page: Page) -> str | None:
    """Somebody looks at their order a while after paying."""
    if page.datum("order-state") != "paying":
        return None
    return f"{PATIENCE_SECONDS:.0f} seconds after I paid: “{page.headings[0]}”"


def evidence(trace: Trace) -> list[Span]:
    """What the bank tells is refused."""
    return [
        span
        for span in trace.spans
        if span.service == "payments"
        and span.name == ROUTE
        and span.attributes.get("onsale.refusal") == "webhook_forged"
    ]


DRILL = Drill(
    name="paid-and-waiting",
    report="I paid and closed the window at the bank. For a good while the order said that my payment is open; at last the tickets came.",
    environments={"payments": {"PAYMENTS_BANK_WEBHOOK_SECRET": "the secret of last year"}},
    journey=pay_and_leave,
    symptom=symptom,
    question=Question("payments", ROUTE),
    evidence=each_trace(evidence),
    answer=Answer("payments", (ROUTE,)),
)
