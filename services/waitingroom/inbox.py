"""Facts that this service hears: who has bought or given up makes room for others."""

from uuid import UUID

from chassis.db import Transaction
from chassis.facts import Heard
from chassis.inbox import Inbox, Received
from services.waitingroom.service.queue import Queue

# Orders says so of an order that was never placed: inventory refused to hold places, or was too busy, or did not answer.
REFUSED = "refused"


class OrderConfirmed(Heard):
    """An order is paid."""

    event_id: UUID
    person_id: UUID


class OrderCancelled(Heard):
    """An order came to nothing; `reason` says why."""

    event_id: UUID
    person_id: UUID
    reason: str


def make_inbox(queue: Queue) -> Inbox:
    """What is heard, and which use case it starts."""
    inbox = Inbox("waitingroom")

    @inbox.hears("events.orders.order_confirmed.v1", OrderConfirmed)
    async def confirmed(tx: Transaction, fact: OrderConfirmed, _received: Received) -> None:
        await queue.finish(tx, fact.event_id, fact.person_id)

    @inbox.hears("events.orders.order_cancelled.v1", OrderCancelled)
    async def cancelled(tx: Transaction, fact: OrderCancelled, _received: Received) -> None:
        # Whoever was refused keeps the pass, still unused, and tries again: nobody else may come in for them.
        if fact.reason != REFUSED:
            await queue.finish(tx, fact.event_id, fact.person_id)

    return inbox
