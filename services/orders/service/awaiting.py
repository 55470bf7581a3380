"""Looks for confirmed orders without tickets, and tells again that they are confirmed: nobody may have paid for nothing."""

from uuid import UUID

from chassis.db import Database, Transaction
from chassis.logs import log
from services.orders import queries
from services.orders.service.changes import confirmation_of, told_of
from tracing.spans import continued

# The last one a day and a half after the first, at 30 seconds; then somebody has to look (onsale.tickets.awaited.age).
TELLINGS = 13

_LOG = log(__name__)


class Awaiting:
    """What was told and not answered is told again, each time after twice as long."""

    def __init__(self, database: Database, within_seconds: float) -> None:
        self._database = database
        self._within_seconds = within_seconds

    async def tell_again(self) -> int:
        """One bounded batch. How many orders were told again."""
        async with self._database.writer() as tx:
            overdue = await queries.take_overdue_tickets(tx, self._within_seconds, TELLINGS)
            for order_id in overdue:
                await _tell(tx, order_id)
        return len(overdue)


async def _tell(tx: Transaction, order_id: UUID) -> None:
    order = await queries.lock_order(tx, order_id)
    if order is None or order.confirmed_at is None:
        return
    lines = (await queries.lines_of(tx, [order_id])).get(order_id, [])
    _LOG.warning("a confirmed order has no tickets yet, and is told again", order_id=str(order_id))
    with continued("orders.tell_again", order.traceparent, told_of(order), repeated=True):
        await tx.publish(confirmation_of(order, lines))
