"""Facts that catalog publishes."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.facts import Fact
from services.catalog.domain import SEATS_PER_PART, Kind


class PublishedClass(BaseModel):
    """What may be sold of a class: so many places."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_id: UUID
    name: str
    kind: Kind
    capacity: Annotated[int, Field(gt=0)]


class PublishedSeat(BaseModel):
    """A seat, its words for people, and the class that sells it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seat_id: str
    label: str
    class_id: UUID


class EventPublished(Fact):
    """An event is in the catalogue, or has changed; always the whole of it."""

    subject: ClassVar[str] = "events.catalog.event_published.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    title: str
    starts_at: datetime
    on_sale: bool
    max_per_order: int
    classes: list[PublishedClass]


class SeatsPublished(Fact):
    """Seats of an event, part 1 to `parts`; always told after its event_published, in the same transaction."""

    subject: ClassVar[str] = "events.catalog.seats_published.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    part: int
    parts: int
    seats: Annotated[list[PublishedSeat], Field(min_length=1, max_length=SEATS_PER_PART)]
