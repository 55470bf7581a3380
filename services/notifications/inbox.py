"""Facts that this service hears, and which mail they call for."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from chassis.db import Transaction
from chassis.facts import Heard
from chassis.inbox import Inbox, Received, hear
from services.notifications.domain import Template, kind_of_change
from services.notifications.service import Notifications


class IssuedTicket(Heard):
    """A ticket of the order."""

    class_name: str
    seat_label: str | None


class TicketsIssued(Heard):
    """The tickets of an order exist."""

    order_id: UUID
    order_number: str
    person_id: UUID
    event_title: str
    venue_name: str
    starts_at: datetime
    time_zone: str
    tickets: list[IssuedTicket]
    doors_at: datetime | None = None
    venue_street: str | None = None
    venue_city: str | None = None
    currency: str | None = None
    paid_minor: int | None = None


class TicketsChanged(Heard):
    """The event of an order's tickets is not as it was; notified once per order and version."""

    order_id: UUID
    order_number: str
    person_id: UUID
    version: int = Field(ge=1)
    event_title: str
    state: str
    changes: list[str]
    starts_at: datetime
    previous_starts_at: datetime | None
    doors_at: datetime | None
    time_zone: str
    venue_name: str
    venue_street: str | None
    venue_city: str


class OrderCancelled(Heard):
    """An order came to nothing; `paid`: money had been authorised, and was given back."""

    order_id: UUID
    number: str
    person_id: UUID
    event_title: str
    reason: str
    paid: bool


_KNOWN_BY_THE_ROW = {"order_id", "order_number", "person_id", "version"}


def make_inbox(notifications: Notifications) -> Inbox:
    """What is heard, and which mail it calls for."""
    inbox = Inbox("notifications")

    @inbox.hears_at_once("events.tickets.tickets_issued.v1", TicketsIssued)
    async def send_tickets(tx: Transaction, fact: TicketsIssued, received: Received) -> bool:
        return await notifications.note(
            tx,
            Template.TICKETS,
            order_id=fact.order_id,
            order_number=fact.order_number,
            person_id=fact.person_id,
            content=fact.model_dump(mode="json", exclude=_KNOWN_BY_THE_ROW),
            received=received,
        )

    @inbox.hears_at_once("events.tickets.tickets_changed.v1", TicketsChanged)
    async def tell_what_changed(tx: Transaction, fact: TicketsChanged, received: Received) -> bool:
        return await notifications.note(
            tx,
            kind_of_change(fact.state, fact.changes),
            order_id=fact.order_id,
            order_number=fact.order_number,
            person_id=fact.person_id,
            content=fact.model_dump(mode="json", exclude=_KNOWN_BY_THE_ROW),
            received=received,
            edition=fact.version,
        )

    @inbox.hears_at_once("events.orders.order_cancelled.v1", OrderCancelled)
    async def tell_that_money_was_returned(tx: Transaction, fact: OrderCancelled, received: Received) -> bool:
        # A buyer who paid nothing saw the cancellation on the page; a mail about no money would only worry.
        if not fact.paid:
            return await hear(tx, received)
        return await notifications.note(
            tx,
            Template.MONEY_RETURNED,
            order_id=fact.order_id,
            order_number=fact.number,
            person_id=fact.person_id,
            content={"event_title": fact.event_title, "reason": fact.reason},
            received=received,
        )

    return inbox
