"""Whoever wants to pay waits for long, and is then told that the bank cannot be reached."""

from drills.errands import Errand, buy_and_print
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

PATIENCE_SECONDS = 3.0
NEARLY_ALL = 0.9
# Longer than the 5 s that any caller of payments waits, and not much: whoever stops the bank waits for its answers.
ANSWER_SECONDS = "7"


def symptom(errand: Errand) -> str | None:
    """The page of the order comes back with an error."""
    if errand.charge or errand.bank_seconds < PATIENCE_SECONDS:
        return None
    return f"{' '.join(errand.bank.alerts) or errand.bank.headings[0]} (after {errand.bank_seconds:.1f} s)"


def evidence(trace: Trace) -> list[Span]:
    """A call to the bank did not end by itself: it was cut off with the request that waited for it, and nothing else took time."""
    return [
        call
        for call in trace.spans
        if call.service == "payments"
        and call.attributes.get("peer.service") == "bank"
        and call.attributes.get("error.type") == "CancelledError"
        and any(
            above.kind == "server" and call.duration_ns > NEARLY_ALL * above.duration_ns
            for above in trace.ancestors_of(call)
            if above.service == "payments"
        )
    ]


DRILL = Drill(
    name="no-way-to-the-bank",
    report="I press Pay, wait for ages, and then read that you cannot reach the bank. My bank says it is fine, only slow today.",
    environments={**fault("payments", "time-out-of-ten-minutes"), "bank": {"BANK_ANSWER_SECONDS": ANSWER_SECONDS}},
    journey=buy_and_print,
    symptom=symptom,
    question=Question("payments", "PUT /v1/payments/{key}"),
    evidence=each_trace(evidence),
    answer=Answer("payments", ("PUT /v1/payments/{key}", "payments.open_payment", "PUT /payments/{payment_id}")),
)
