"""The number in the e-mail is not the order's."""

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

SUBJECT = "events.tickets.tickets_issued.v1"


def symptom(seen: Followed) -> str | None:
    """What the e-mail and the page of the order are known under differs."""
    strange = [number for number in seen.mail_numbers if number != seen.page_number]
    if not strange or not seen.page_number:
        return None
    return f"The page of my order says that it is {seen.page_number[:8]}..., and my e-mail {strange[0][:8] or 'nothing'}..."


def evidence(trace: Trace) -> list[Span]:
    """A message is processed by a span that has no parent: the trace begins anew in the middle of what happens."""
    return [span for span in trace.spans if span.name == f"process {SUBJECT}" and not span.parent_id and not span.links]


DRILL = Drill(
    name="a-number-that-nobody-knows",
    report="I asked you about my e-mail and gave you the number in its headers (Onsale-Trace). You said that no purchase has this number.",
    environments=fault("notifications", "envelope-of-another-version"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("notifications", f"process {SUBJECT}"),
    evidence=each_trace(evidence),
    answer=Answer("notifications", (f"process {SUBJECT}",)),
)
