"""Facts that this service hears, and what it does then."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from chassis.db import Transaction
from chassis.facts import Heard
from chassis.inbox import Inbox, Received
from services.tickets.domain import CODE_EPOCH_MAX, Change, EventChange, EventState, Line, Order
from services.tickets.event_changes import EventChanges
from services.tickets.service import Tickets

# Far above what one order may hold, far below what would choke the service: a fact beyond it is a mistake.
PLACES_MAX = 1000
CHANGES_MAX = 20


class OrderLine(Heard):
    """A line of the order."""

    line_id: UUID
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    quantity: int = Field(ge=1, le=PLACES_MAX)
    unit_price_minor: int = Field(ge=0)


class OrderConfirmed(Heard):
    """An order is paid: its buyer has a right to tickets."""

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
    lines: list[OrderLine] = Field(min_length=1, max_length=PLACES_MAX)
    venue_street: str | None = None
    venue_country: str | None = None
    doors_at: datetime | None = None
    event_version: int | None = Field(default=None, ge=0)

    def as_order(self) -> Order:
        """The same as this service speaks of it."""
        fields = {
            name: getattr(self, name) for name in type(self).model_fields if name not in {"lines", "event_version"}
        }
        # Orders of before there were versions tell none: any that is heard of is newer.
        return Order(
            **fields,
            event_version=self.event_version or 0,
            lines=tuple(Line(**line.model_dump()) for line in self.lines),
        )


class EventChanged(Heard):
    """An event is not as it was; whoever holds tickets must know."""

    event_id: UUID
    version: int = Field(ge=1)
    state: EventState
    changes: list[str] = Field(max_length=CHANGES_MAX)
    title: str
    starts_at: datetime
    doors_at: datetime | None
    time_zone: str
    venue_name: str
    venue_street: str | None
    venue_city: str
    venue_country: str | None
    previous_starts_at: datetime | None
    code_edition: int = Field(default=1, ge=1, le=CODE_EPOCH_MAX)

    def as_change(self) -> EventChange:
        """The same as this service speaks of it."""
        # A change that this version has no name for is published with those that it has.
        changes = tuple(Change(each) for each in self.changes if each in set(Change))
        return EventChange(**{**dict(self), "changes": changes})


def make_inbox(tickets: Tickets, event_changes: EventChanges) -> Inbox:
    """What is heard, and which use case it starts."""
    inbox = Inbox("tickets")

    @inbox.hears("events.orders.order_confirmed.v1", OrderConfirmed)
    async def issue(tx: Transaction, fact: OrderConfirmed, _received: Received) -> None:
        await tickets.issue(tx, fact.as_order())

    @inbox.hears("events.catalog.event_changed.v1", EventChanged)
    async def keep_change(tx: Transaction, fact: EventChanged, _received: Received) -> None:
        await event_changes.keep_change(tx, fact.as_change())

    return inbox
