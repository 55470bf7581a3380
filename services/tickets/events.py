"""Facts that this service publishes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.facts import Fact
from services.tickets.domain import Change, EventState


class IssuedTicket(BaseModel):
    """One of the tickets that were issued. Its code is not published: who hears the firehose must not be able to enter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ticket_id: UUID
    class_name: str
    seat_label: str | None


class TicketsIssued(Fact):
    """All tickets of an order exist."""

    subject: ClassVar[str] = "events.tickets.tickets_issued.v1"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    order_number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    starts_at: datetime
    time_zone: str
    tickets: list[IssuedTicket]
    doors_at: datetime | None
    venue_street: str | None
    venue_city: str
    currency: str
    paid_minor: int


class TicketsChanged(Fact):
    """The event of an order's tickets is not as it was; the tickets stay, and their codes unless `changes` has `codes`.

    One fact per order and version.
    """

    subject: ClassVar[str] = "events.tickets.tickets_changed.v1"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    order_number: str
    person_id: UUID
    event_id: UUID
    version: int
    event_title: str
    state: EventState
    changes: list[Change]
    starts_at: datetime
    previous_starts_at: datetime | None
    doors_at: datetime | None
    time_zone: str
    venue_name: str
    venue_street: str | None
    venue_city: str
