"""The bank asks for another amount than the order's total."""

from drills.errands import Errand, buy_and_print
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace


def symptom(errand: Errand) -> str | None:
    """Somebody compares two pages."""
    if not errand.charge or errand.charge == errand.total:
        return None
    return f"The order costs {errand.total}, and the bank's page asks for {errand.charge}."


def evidence(trace: Trace) -> list[Span]:
    """What is asked of the bank is not the total of the order for which it is asked."""
    return [
        asked
        for asked in trace.spans
        if asked.service == "payments" and asked.kind == "client" and "onsale.amount_minor" in asked.attributes
        for begun in trace.ancestors_of(asked)
        if begun.name == "orders.begin_payment"
        and begun.attributes.get("onsale.total_minor") != asked.attributes["onsale.amount_minor"]
    ]


DRILL = Drill(
    name="odd-statement",
    report="I ordered two standing places. My bank statement has another amount than the order.",
    environments=fault("orders", "sum-of-unit-prices"),
    journey=buy_and_print,
    symptom=symptom,
    question=Question("orders", "orders.begin_payment"),
    evidence=each_trace(evidence),
    answer=Answer("orders", ("orders.begin_payment", "PUT /payments/{payment_id}", "POST /orders/{order_id}/checkout")),
)
