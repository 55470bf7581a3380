"""One order, two mails."""

from collections import defaultdict

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

SUBJECT = "events.tickets.tickets_issued.v1"


def symptom(seen: Followed) -> str | None:
    """More than one mail of the same subject."""
    many = len(seen.subjects)
    return f"{many} mails came, all with the subject {seen.subjects[0]!r}." if many > len(set(seen.subjects)) else None


def evidence(trace: Trace) -> list[Span]:
    """One message is processed more than once, and each time a mail is on its way before the processing ends."""
    with_mail: dict[object, list[Span]] = defaultdict(list)
    for mail in trace.spans:
        if mail.name == "smtp send" and not mail.is_error:
            for above in trace.ancestors_of(mail):
                if above.name == f"process {SUBJECT}" and above.end_ns >= mail.end_ns:
                    with_mail[above.attributes.get("messaging.message.id")].append(above)
    return [span for spans in with_mail.values() if len(spans) > 1 for span in spans]


DRILL = Drill(
    name="the-same-mail-twice",
    report="I bought once and paid once, and have two e-mails with my tickets.",
    environments=fault("notifications", "send-first"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("notifications", f"process {SUBJECT}"),
    evidence=each_trace(evidence),
    answer=Answer("notifications", (f"process {SUBJECT}", "deliveries.insert_attempt", "smtp send")),
)
