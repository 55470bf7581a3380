"""Facts that this service hears: who has bought or given up makes room for others."""

from uuid import UUID

from chassis.db import Transaction
from chassis.facts import Heard
from chassis.inbox import Inbox, Received
from services.waitingroom.service.queue import Queue


class OrderEnded(Heard):
    """An order is confirmed, or came to nothing."""

    event_id: UUID
    person_id: UUID


def make_inbox(queue: Queue) -> Inbox:
    """What is heard, and which use case it starts."""
    inbox = Inbox("waitingroom")

    @inbox.hears("events.orders.order_confirmed.v1", OrderEnded)
    async def confirmed(tx: Transaction, fact: OrderEnded, _received: Received) -> None:
        await queue.finish(tx, fact.event_id, fact.person_id)

    @inbox.hears("events.orders.order_cancelled.v1", OrderEnded)
    async def cancelled(tx: Transaction, fact: OrderEnded, _received: Received) -> None:
        await queue.finish(tx, fact.event_id, fact.person_id)

    return inbox
