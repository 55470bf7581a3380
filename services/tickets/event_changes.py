"""Events that move: what they have become is kept, and whoever holds tickets is notified, order by order."""

from collections.abc import Callable

from chassis.db import Database, Transaction
from services.tickets import queries
from services.tickets.domain import EventChange, Holding
from services.tickets.events import TicketsChanged
from tracing.spans import continued, note, span

# Orders whose holders are notified in one transaction: as many rows in the outbox.
BATCH = 100


class EventChanges:
    """The use cases around events that have changed. `wake` tells the worker that there are holders to notify."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.wake: Callable[[], None] = lambda: None

    async def keep_change(self, tx: Transaction, change: EventChange) -> None:
        """Keeps what an event has become, in the transaction of the fact that says so. An older version changes nothing."""
        attributes = {"onsale.event_id": str(change.event_id), "onsale.event_version": change.version}
        with span("tickets.keep_change", attributes):
            if await queries.put_event(tx, change):
                tx.after_commit(self.wake)
            else:
                note({"onsale.duplicate": True})

    async def notify_holders(self) -> int:
        """Publishes the change for a batch of orders of one event. How many there were; 0 when all holders are notified."""
        # Most of the time there are none, and to find that out takes one statement.
        async with self._database.writer(single=True) as tx:
            if await queries.next_unnotified(tx) is None:
                return 0
        async with self._database.writer() as tx:
            unnotified = await queries.next_unnotified(tx)
            if unnotified is None:
                return 0
            change = unnotified.change
            attributes = {"onsale.event_id": str(change.event_id), "onsale.event_version": change.version}
            with continued(
                "tickets.notify_holders",
                unnotified.traceparent,
                attributes,
                repeated=unnotified.notified_until is not None,
            ):
                holdings = await queries.holdings_of(tx, change, after=unnotified.notified_until, limit=BATCH)
                for holding in holdings:
                    await tx.publish(_changed(change, holding))
                is_last = len(holdings) < BATCH
                await queries.mark_notified(tx, change, after=None if is_last else holdings[-1].order_id)
                note({"onsale.orders": len(holdings)})
        # One that is done lets the next event's holders be notified at once.
        return max(1, len(holdings))


def _changed(change: EventChange, holding: Holding) -> TicketsChanged:
    return TicketsChanged(
        order_id=holding.order_id,
        order_number=holding.order_number,
        person_id=holding.person_id,
        event_id=change.event_id,
        version=change.version,
        event_title=change.title,
        state=change.state,
        changes=list(change.changes),
        starts_at=change.starts_at,
        previous_starts_at=change.previous_starts_at,
        doors_at=change.doors_at,
        time_zone=change.time_zone,
        venue_name=change.venue_name,
        venue_street=change.venue_street,
        venue_city=change.venue_city,
    )
