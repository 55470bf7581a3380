"""Facts that catalog publishes."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.facts import Fact
from services.catalog.domain import MAX_CODE_EDITION, SEATS_PER_PART, Change, EventState, Kind, Obstacle


class PublishedClass(BaseModel):
    """What may be sold of a class: so many places, from `sale_begins_at` (null: at once) until `sale_ends_at`.

    With an `obstacle` none at all, whatever the time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_id: UUID
    name: str
    kind: Kind
    capacity: Annotated[int, Field(ge=0)]
    obstacle: Obstacle | None
    sale_begins_at: datetime | None
    sale_ends_at: datetime


class PublishedSeat(BaseModel):
    """A seat, its words for people, and the class that sells it.

    Seats of one `row_id` whose `place_in_row` follow each other are neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seat_id: str
    label: str
    class_id: UUID
    row_id: str
    place_in_row: int


class EventPublished(Fact):
    """An event is in the catalogue, or has changed; always the whole of it."""

    subject: ClassVar[str] = "events.catalog.event_published.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    title: str
    starts_at: datetime
    on_sale: bool
    state: EventState
    max_per_order: int
    classes: list[PublishedClass]


class EventChanged(Fact):
    """Something changed that those who hold tickets must know, or an event is known that is cancelled, postponed or elsewhere.

    Always the whole of what they read; `changes` says what of it is new. `version` grows with every change of the event.
    Codes of tickets of an edition before `code_edition` are refused at the door."""

    subject: ClassVar[str] = "events.catalog.event_changed.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    version: Annotated[int, Field(gt=0)]
    state: EventState
    changes: Annotated[list[Change], Field(min_length=1)]
    title: str
    starts_at: datetime
    doors_at: datetime | None
    time_zone: str
    venue_name: str
    venue_street: str | None
    venue_city: str
    venue_country: str | None
    previous_starts_at: datetime | None
    image: str | None
    code_edition: Annotated[int, Field(ge=1, le=MAX_CODE_EDITION)]


class SeatsPublished(Fact):
    """Seats of an event, part 1 to `parts`; always published after its event_published, in the same transaction."""

    subject: ClassVar[str] = "events.catalog.seats_published.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    part: int
    parts: int
    seats: Annotated[list[PublishedSeat], Field(min_length=1, max_length=SEATS_PER_PART)]
