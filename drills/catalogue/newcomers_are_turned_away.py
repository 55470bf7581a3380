"""A visitor who was never here before cannot hold anything."""

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

EARLY_SECONDS = 5.0


def symptom(seen: Followed) -> str | None:
    """A stranger who wants to hold places meets an error."""
    return f"I wanted to {seen.failure}" if seen.failure.startswith("hold places") else None


def evidence(trace: Trace) -> list[Span]:
    """A call whose callee began long before the caller asked."""
    return [
        parent
        for span in trace.spans
        if (parent := trace.get(span.parent_id)) is not None
        and parent.kind == "client"
        and span.service == "accounts"
        and parent.start_ns - span.start_ns > EARLY_SECONDS * 1e9
    ]


DRILL = Drill(
    name="newcomers-are-turned-away",
    report="People who are new in the shop cannot hold places: an error. Those who bought something an hour ago can.",
    environments=fault("accounts", "clock-behind"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("web", "POST /events/{event_id}/orders"),
    evidence=each_trace(evidence),
    answer=Answer("accounts", ("POST /guests", "POST /*", "GET /*", "PATCH /*", "start accounts")),
)
