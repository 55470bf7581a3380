"""Facts that this service publishes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.facts import Fact


class IssuedTicket(BaseModel):
    """One of the tickets that were issued. Its code is not told: who hears the firehose must not be able to enter."""

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
