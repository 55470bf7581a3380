"""What a trace adds to an order's story: what failed, was tried again, or waited, unless the records say it already."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from services.web.support.timeline import Line
from services.web.support.words import duration
from tracing.model import Span, Trace

# A step that takes this long and has no steps below it has waited for something.
LONG_SECONDS = 1.0
MOST_LINES = 60


def lines_of_trace(trace: Trace, of_records: Collection[Line], references: Collection[str]) -> list[Line]:
    """The lines of a trace, at most `MOST_LINES`.

    `of_records`: the lines of the records. Where they say that something went wrong in a span, nothing is said again of
    what went wrong within that span.
    `references`: ids of facts that the records tell of.
    """
    known = {line.span_id for line in of_records if line.tone == "bad" and line.span_id}
    lines = []
    for span in trace.spans:
        text = next(_sayings(trace, span, known, references), None)
        if text is not None:
            at = datetime.fromtimestamp(span.start_ns / 1e9, UTC)
            lines.append(Line(at, span.service, text, "bad", span.trace_id, span.span_id, "trace"))
    return lines[:MOST_LINES]


def _sayings(trace: Trace, span: Span, known: Collection[str], references: Collection[str]) -> Iterator[str]:
    service = span.service.capitalize()
    if span.is_error and not _is_recorded(trace, span, known) and not _fails_within(trace, span):
        why = f": {span.status.message}" if span.status.message else ""
        yield f"{service} failed at “{span.name}”{why}."
    if span.is_error:
        return
    if (again := _number(span, "http.request.resend_count")) > 0:
        yield f"{service} asked again: “{span.name}”, attempt {again + 1}."
    delivery = _number(span, "onsale.delivery")
    if delivery > 1 and str(span.attributes.get("messaging.message.id", "")) not in references:
        yield f"{service} was given it again: “{span.name}”, delivery {delivery}."
    waited = _waited_in_queue(trace, span)
    if waited >= LONG_SECONDS and str(span.attributes.get("messaging.message.id", "")) not in references:
        yield f"It took {duration(waited)} on its way to {service}: “{span.name}”."
    seconds = span.duration_ns / 1e9
    if seconds >= LONG_SECONDS and not trace.children_of(span) and span.kind != "producer":
        yield f"{service} spent {duration(seconds)} at “{span.name}”."


def _is_recorded(trace: Trace, span: Span, known: Collection[str]) -> bool:
    """Whether the records say that this, or what it is a part of in the same service, went wrong."""
    above = [span, *(each for each in trace.ancestors_of(span) if each.service == span.service)]
    return any(each.span_id in known for each in above)


def _fails_within(trace: Trace, span: Span) -> bool:
    """The innermost failure is the one to look at; those around it only pass it on."""
    return any(child.is_error for child in trace.children_of(span))


def _waited_in_queue(trace: Trace, span: Span) -> float:
    """How long a message was on its way to where it is processed, in seconds; 0 for what is no message."""
    parent = trace.get(span.parent_id)
    if span.kind != "consumer" or parent is None or parent.kind != "producer":
        return 0.0
    return max(0.0, (span.start_ns - parent.end_ns) / 1e9)


def _number(span: Span, name: str) -> int:
    value = span.attributes.get(name)
    return value if isinstance(value, int) else 0
