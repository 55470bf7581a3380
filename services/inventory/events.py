"""Facts that inventory publishes, and what it says on the bus."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.facts import BusMessage, Fact
from services.inventory.domain import SeatState


class HoldExpired(Fact):
    """Nobody paid in time: the places are free again."""

    subject: ClassVar[str] = "events.inventory.hold_expired.v1"
    aggregate: ClassVar[str] = "hold_id"

    hold_id: UUID
    event_id: UUID
    order_id: UUID
    expired_at: datetime


class ChangedSeat(BaseModel):
    """A seat, and how it stands now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seat_id: str
    state: SeatState


class PlacesChanged(BusMessage):
    """Places of an event were taken or given back: these seats, and some of these classes."""

    subject: ClassVar[str] = "bus.inventory.places_changed"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    seats: list[ChangedSeat]
    classes: list[UUID]
