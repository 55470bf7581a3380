"""A buyer who is alone has the tickets at once; one of many waits."""

from collections.abc import Sequence

from drills.customer import Followed, follow_a_crowd
from drills.model import Answer, Drill, fault
from drills.stage import Question
from tracing.model import Span, Trace

SUBJECT = "events.orders.order_confirmed.v1"
LATE_SECONDS = 2.5
LATE_SHARE = 0.6
GAP_SECONDS = 1.0
BUSY_SHARE = 0.8


def symptom(seen: Sequence[Followed]) -> str | None:
    """The last of some who paid at the same time waits long for the tickets."""
    waits = [one.tickets_after for one in seen if one.tickets_after is not None]
    slowest = max(waits, default=0.0)
    if slowest < LATE_SECONDS or slowest < LATE_SHARE * max(one.paid_after for one in seen):
        return None
    return (
        f"{len(seen)} of us paid together. One had the tickets after {min(waits):.1f} s, another after {slowest:.1f} s."
    )


def evidence(traces: Sequence[Trace]) -> list[Span]:
    """A message waits long between `send` and `process`, and its consumer is busy with other messages all that time."""
    processing = [span for trace in traces for span in trace.spans if span.name == f"process {SUBJECT}"]
    sent = {
        span.attributes.get("messaging.message.id"): span
        for trace in traces
        for span in trace.spans
        if span.name == f"send {SUBJECT}"
    }
    found = []
    for span in processing:
        send = sent.get(span.attributes.get("messaging.message.id"))
        if send is not None and span.start_ns - send.end_ns > GAP_SECONDS * 1e9:
            gap = (send.end_ns, span.start_ns)
            if sum(_within(gap, other) for other in processing) > BUSY_SHARE * (gap[1] - gap[0]):
                found.append(span)
    return found


def _within(gap: tuple[int, int], span: Span) -> int:
    return max(0, min(gap[1], span.end_ns) - max(gap[0], span.start_ns))


DRILL = Drill(
    name="late-in-a-crowd",
    report="In the evening, when many buy, tickets come long after the payment. In the morning they come at once.",
    environments=fault("tickets", "one-order-at-a-time"),
    journey=follow_a_crowd,
    symptom=symptom,
    question=Question("tickets", f"process {SUBJECT}"),
    evidence=evidence,
    answer=Answer("tickets", (f"process {SUBJECT}", "tickets.issue_tickets")),
)
