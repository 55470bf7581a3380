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
    """An order is paid, and its places are sold: there will be tickets."""

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
    # The version of the event that was bought: older facts about the event change nothing of it.
    event_version: int


class OrderCancelled(Fact):
    """An order came to nothing; places and money were given back. `paid` tells whether money had been authorised."""

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
    """An order has changed: pages that show it should read it again."""

    subject: ClassVar[str] = "bus.orders.order_changed"
    aggregate: ClassVar[str] = "order_id"

    order_id: UUID
    state: OrderState
