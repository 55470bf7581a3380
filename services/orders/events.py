"""Facts that orders publishes, and what it says on the bus. No personal data: who needs an address asks accounts."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from chassis.facts import BusMessage, Fact
from services.orders.domain import OrderState, Reason


class ConfirmedLine(BaseModel):
    """A line of a confirmed order."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)

    line_id: UUID
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    quantity: int
    unit_price_minor: int


class OrderConfirmed(Fact):
    """It is paid, and the places are sold: there will be tickets."""

    subject: ClassVar[str] = "events.orders.order_confirmed.v1"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    venue_city: str
    starts_at: datetime
    time_zone: str
    currency: str
    total_minor: int
    confirmed_at: datetime
    lines: list[ConfirmedLine]
    venue_street: str | None
    venue_country: str | None
    doors_at: datetime | None
    # Of the event as it was bought: what is heard of older ones does not stand above it.
    event_version: int


class OrderCancelled(Fact):
    """It came to nothing; places and money were given back. `paid` tells whether money had been authorised."""

    subject: ClassVar[str] = "events.orders.order_cancelled.v1"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    reason: Reason
    paid: bool
    cancelled_at: datetime


class OrderChanged(BusMessage):
    """An order stands otherwise than before: whoever shows it should look again."""

    subject: ClassVar[str] = "bus.orders.order_changed"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    state: OrderState
