"""Publishes again that orders are confirmed, if they have no tickets yet: nobody may have paid for nothing."""

from chassis.db import Database
from chassis.logs import log
from chassis.work import Backoff, Work, claim, put_off
from services.orders import queries
from services.orders.service.transitions import attributes_of, confirmation_of
from tracing.spans import continued

LONGEST_SECONDS = 2.0 * 24 * 3600

_LOG = log(__name__)


class PublishConfirmationsAgain:
    """A confirmation that was not answered is published again, each time after twice as long, and `PUBLICATIONS_MAX` times at most."""

    def __init__(self, database: Database, within_seconds: float) -> None:
        self._database = database
        self._backoff = Backoff(within_seconds, LONGEST_SECONDS)

    async def __call__(self) -> int:
        """One bounded batch. How many confirmations were published again."""
        async with self._database.writer(single=True) as tx:
            overdue = await claim(tx, queries.AWAITED)
        for work in overdue:
            await self._publish(work)
        return len(overdue)

    async def _publish(self, work: Work) -> None:
        async with self._database.writer() as tx:
            order = await queries.lock_order(tx, work.key)
            if order is None or order.confirmed_at is None:
                return
            _LOG.warning("a confirmed order has no tickets yet, and is published again", order_id=str(order.order_id))
            with continued("orders.tell_again", order.traceparent, attributes_of(order), repeated=True):
                await tx.publish(confirmation_of(order))
                await put_off(tx, queries.AWAITED, work, "no tickets yet", self._backoff.after(work.attempt))
