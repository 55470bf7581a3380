"""An error page after paying, and tickets later all the same."""

from drills.customer import Followed, follow_a_purchase
from drills.model import Answer, Drill, each_trace
from drills.stage import Question
from tracing.model import Span, Trace

SEND = "send events.orders.order_confirmed.v1"
REFRESH = "POST /orders/{order_id}/refresh"
INSTANCE = "service.instance.id"


def symptom(seen: Followed) -> str | None:
    """The way back from the bank ends at an error, and the order is confirmed a little later."""
    if not seen.errors or seen.tickets_after is None:
        return None
    return f"After I had paid, the shop said {seen.errors[0]!r}. The tickets came {seen.tickets_after:.1f} s later."


def evidence(trace: Trace) -> list[Span]:
    """A fact is sent by another process than the one that made it; what that one did last has often left no span at all."""
    return [span for span in trace.spans if span.name == SEND and _was_made_elsewhere(trace, span)]


def _was_made_elsewhere(trace: Trace, sent: Span) -> bool:
    made = trace.get(sent.parent_id)
    if made is not None:
        return _is_of_another(made, sent)
    # The successor may have answered others before it sent the fact: one earlier span of another process is enough. And a quick
    # purchase fits between two exports: then whoever made the fact left nothing, and only callers noticed.
    return any(
        (_is_earlier(each, sent) and _is_of_another(each, sent))
        or (_got_no_answer(trace, each) and each.end_ns < sent.start_ns)
        for each in trace.spans
    )


def _is_of_another(span: Span, sent: Span) -> bool:
    return span.resource.get(INSTANCE) != sent.resource.get(INSTANCE)


def _got_no_answer(trace: Trace, span: Span) -> bool:
    return span.kind == "client" and span.name == REFRESH and span.is_error and not trace.children_of(span)


def _is_earlier(span: Span, sent: Span) -> bool:
    return span.service == sent.service and span.end_ns < sent.start_ns


DRILL = Drill(
    name="an-error-after-paying",
    report="I paid, and instead of my tickets there was an error page. A moment later the tickets were there after all. Have I paid?",
    environments={"orders": {"ORDERS_CRASH_AT": "orders.after.captured"}},
    journey=follow_a_purchase,
    symptom=symptom,
    question=Question("orders", SEND),
    evidence=each_trace(evidence),
    answer=Answer(
        "orders",
        (
            SEND,
            "create events.orders.order_confirmed.v1",
            "start orders",
            "orders.capture_payment",
            "orders.captured",
            "orders.advance_order",
            REFRESH,
        ),
    ),
)
