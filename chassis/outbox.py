"""The outbox: a fact leaves through a row that was written in the transaction that made it true. The relay sends the rows
(chassis/relay.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from opentelemetry.trace import SpanKind

from chassis.facts import Fact
from chassis.ids import uuid7
from chassis.statements import text
from tracing.messaging import message_attributes
from tracing.spans import continued, current_traceparent

_COLUMNS = "event_id, subject, aggregate_id, data, traceparent"
_GIVEN = """jsonb_to_recordset(CAST(:facts AS jsonb))
        AS fact (event_id uuid, subject text, aggregate_id text, data jsonb, traceparent text)"""
# All facts of a transaction in one statement, in the order in which they were published.
INSERT = text(f"INSERT INTO outbox ({_COLUMNS}) SELECT {_COLUMNS} FROM {_GIVEN}")  # noqa: S608  # constants of this module


def insert_with(changed: str) -> str:
    """The same as a part of a statement that changes what the facts are about: without a row in `changed`, nothing is told."""
    columns = ", ".join(f"fact.{name}" for name in _COLUMNS.split(", "))
    return f"INSERT INTO outbox ({_COLUMNS}) SELECT {columns} FROM {changed}, {_GIVEN}"  # noqa: S608  # see above


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


def parameters_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The parameters of `INSERT` for rows of `row_of`."""
    return {"facts": orjson.dumps(rows).decode()}
