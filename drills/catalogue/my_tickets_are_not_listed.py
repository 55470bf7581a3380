"""My tickets is empty, although there are tickets."""

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace, fault
from drills.stage import Question
from tracing.model import Span, Trace

STATE = "db.response.status_code"


def symptom(seen: Followed) -> str | None:
    """The order has its tickets, and the list of the same person has none."""
    if seen.tickets_after is None or seen.listed != 0:
        return None
    return "The page of my order shows my tickets. My tickets says: No tickets yet."


def evidence(trace: Trace) -> list[Span]:
    """A statement is refused as wrong (class 42), and the request above it succeeds as if nothing had been."""
    return [
        span
        for span in trace.spans
        if str(span.attributes.get(STATE, "")).startswith("42")
        and any(
            above.service == span.service and above.kind == "server" and not above.is_error
            for above in trace.ancestors_of(span)
        )
    ]


DRILL = Drill(
    name="my-tickets-are-not-listed",
    report="I have my tickets by e-mail and on the page of my order, but My tickets says that there are none.",
    environments=fault("tickets", "sort-by-a-renamed-column"),
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("tickets", "GET /tickets"),
    evidence=each_trace(evidence),
    answer=Answer("tickets", ("tickets.of_person", "GET /tickets")),
)
