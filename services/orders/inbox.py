"""Facts that orders hears: what happens to its holds and payments, and to the events that they are for."""

from datetime import datetime
from uuid import UUID

from chassis.db import Transaction
from chassis.facts import Heard
from chassis.inbox import Inbox, Received
from chassis.worker import Worker
from services.orders import queries
from services.orders.domain import TRANSITIONS, EventState, Happening, Order, OrderState, declined
from services.orders.service.transitions import OrderTransitions


class HoldExpired(Heard):
    """Inventory gave places back because nobody paid in time."""

    hold_id: UUID
    order_id: UUID


class PaymentAuthorised(Heard):
    """The bank vouches for the money."""

    payment_id: UUID
    order_id: UUID


class PaymentDeclined(Heard):
    """The bank refused."""

    payment_id: UUID
    order_id: UUID
    reason: str | None = None


class EventChanged(Heard):
    """An event is cancelled, moved, or called otherwise. `version` grows with every change of it."""

    event_id: UUID
    version: int
    state: EventState
    title: str
    starts_at: datetime
    previous_starts_at: datetime | None
    time_zone: str
    venue_name: str
    venue_city: str


class TicketsIssued(Heard):
    """The tickets of an order exist."""

    order_id: UUID


def make_inbox(transitions: OrderTransitions, saga_worker: Worker) -> Inbox:
    """What orders does with each fact: one transition, and the saga is woken for the rest."""
    inbox = Inbox("orders")

    @inbox.hears("events.inventory.hold_expired.v1", HoldExpired)
    async def end_order_without_places(tx: Transaction, fact: HoldExpired, _received: Received) -> None:
        order = await queries.lock_order(tx, fact.order_id)
        if order is None or order.hold_id != fact.hold_id:
            return
        if order.state is OrderState.HELD:
            await transitions.apply_in(tx, order, Happening.HOLD_EXPIRED)
        elif order.state is OrderState.PAYING:
            # Somebody may be paying at this very moment: the saga asks the bank before it gives up.
            await queries.make_due(tx, order.order_id)
        else:
            return
        tx.after_commit(saga_worker.wake)

    @inbox.hears("events.payments.payment_authorised.v1", PaymentAuthorised)
    async def go_on_with_paid_order(tx: Transaction, fact: PaymentAuthorised, _received: Received) -> None:
        order = await _order_of_payment(tx, fact.order_id, fact.payment_id)
        if order is not None and (order.state, Happening.PAYMENT_AUTHORISED) in TRANSITIONS:
            await transitions.apply_in(tx, order, Happening.PAYMENT_AUTHORISED)
            tx.after_commit(saga_worker.wake)

    @inbox.hears("events.payments.payment_declined.v1", PaymentDeclined)
    async def let_buyer_try_again(tx: Transaction, fact: PaymentDeclined, _received: Received) -> None:
        order = await _order_of_payment(tx, fact.order_id, fact.payment_id)
        if order is not None and (order.state, Happening.PAYMENT_DECLINED) in TRANSITIONS:
            await transitions.apply_in(tx, order, Happening.PAYMENT_DECLINED, **declined(order, fact.reason))

    _hear_catalog(inbox, saga_worker)

    @inbox.hears_at_once("events.tickets.tickets_issued.v1", TicketsIssued)
    async def await_tickets_no_more(tx: Transaction, fact: TicketsIssued, received: Received) -> bool:
        return await queries.note_tickets(tx, fact.order_id, received)

    return inbox


def _hear_catalog(inbox: Inbox, saga_worker: Worker) -> None:
    @inbox.hears("events.catalog.event_changed.v1", EventChanged)
    async def learn_how_event_stands(tx: Transaction, fact: EventChanged, _received: Received) -> None:
        if not await queries.put_event(tx, fact.model_dump()):
            return  # something newer is known of it
        if fact.state == "cancelled":
            # There may be thousands of orders: the saga cancels them, some at a time.
            await queries.make_due_for_event(tx, fact.event_id)
            tx.after_commit(saga_worker.wake)


async def _order_of_payment(tx: Transaction, order_id: UUID, payment_id: UUID) -> Order | None:
    """The order, if this is its current payment: news of an earlier attempt do not count any more."""
    order = await queries.lock_order(tx, order_id)
    return order if order is not None and order.payment_id == payment_id else None
