"""Facts: what happened, published to whoever wants to know, in the past tense and never taken back.

A fact's version is the number of its row in the outbox: of two facts about one thing, the later one has the higher number, as long
as whoever writes them locks what they are about first. It travels as the extension `sequence` of CloudEvents, whatever way and
however often the fact is delivered, so that an older fact never overwrites what a newer one has said (`Received.version`).
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

# As many as Postgres' largest number has: with zeros in front, sequences are in order as texts too, as CloudEvents wants it.
SEQUENCE_DIGITS = 19
NO_VERSION = 0


class Fact(BaseModel):
    """Base of the facts that a service publishes. `subject` is also the CloudEvents type; `aggregate` names the field that it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: ClassVar[str]
    aggregate: ClassVar[str]

    @property
    def aggregate_id(self) -> str:
        """The id of what the fact is about."""
        return str(getattr(self, self.aggregate))


class BusMessage(BaseModel):
    """Base of what a service says on the bus. `subject` is without the id that ends it; `aggregate` names the field of that id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: ClassVar[str]
    aggregate: ClassVar[str]

    @property
    def address(self) -> str:
        """The whole subject, with the id of what the message is about."""
        return f"{self.subject}.{getattr(self, self.aggregate)}"


class Heard(BaseModel):
    """Base of a fact as a consumer reads it: only the fields that it uses; a fact may grow without asking."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def service_of(subject: str) -> str:
    """The service that publishes a subject: `events.<service>.<fact>.v1`."""
    return subject.split(".")[1]


def encode_cloud_event(
    *,
    event_id: UUID,
    subject: str,
    aggregate_id: str,
    created_at: datetime,
    data: dict[str, Any],
    traceparent: str | None,
    version: int | None = None,
) -> bytes:
    """A fact as a structured CloudEvents 1.0 JSON document. `version`: see above; without one it has none."""
    event = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": f"/services/{service_of(subject)}",
        "type": subject,
        "subject": aggregate_id,
        "time": created_at,
        "datacontenttype": "application/json",
        "data": data,
    }
    if traceparent:
        event["traceparent"] = traceparent
    if version is not None:
        event["sequence"] = f"{version:0{SEQUENCE_DIGITS}}"
    return orjson.dumps(event, option=orjson.OPT_UTC_Z)


class CloudEvent(BaseModel):
    """The envelope as it is read: its required attributes, and the trace that it belongs to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str
    id: UUID
    source: str
    type: str
    # As long as the columns that keep it, and without what Postgres cannot keep.
    subject: str = Field(max_length=200, pattern=r"^[^\x00]*$")
    time: datetime
    data: dict[str, Any]
    traceparent: str | None = None
    # The version of what it is about; facts of before there were versions have none.
    sequence: int = Field(default=NO_VERSION, ge=NO_VERSION, lt=2**63)
