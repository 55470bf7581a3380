"""The outbox: a fact leaves through a row that was written in the transaction that made it true. The relay sends the rows
(chassis/relay.py).
"""

from typing import Any

from opentelemetry.trace import SpanKind
from sqlalchemy import MetaData, insert

from chassis.facts import Fact
from chassis.ids import uuid7
from chassis.tables import outbox_table
from tracing.messaging import message_attributes
from tracing.spans import continued, current_traceparent

# The statement for rows of `row_of`.
INSERT = insert(outbox_table(MetaData()))


def row_of(fact: Fact, traceparent: str | None = None) -> dict[str, Any]:
    """The row that tells this fact. Its PRODUCER span is the parent of everything that follows from the fact."""
    event_id = uuid7()
    attributes = message_attributes("create", fact.subject, message_id=str(event_id))
    joined = traceparent or current_traceparent()
    with continued(f"create {fact.subject}", joined, attributes, SpanKind.PRODUCER):
        return {
            "event_id": event_id,
            "subject": fact.subject,
            "aggregate_id": fact.aggregate_id,
            "data": fact.model_dump(mode="json"),
            "traceparent": current_traceparent(),
        }
