"""Which orders have their tickets, as far as this process has heard lately: a buyer who comes from the bank sees them at once."""

import asyncio
from uuid import UUID

from pydantic import ValidationError

from chassis.facts import CloudEvent
from services.web.buying.order_watchers import OrderHeard
from tracing.spans import span

# Tickets are there some hundredths of a second after their order was confirmed. If they are not, the page waits for them.
SOON_SECONDS = 0.5
MOST_ORDERS = 5_000


class IssuedTickets:
    """Hears that tickets were issued. What it has not heard may be true all the same: nobody relies on it for more than a moment."""

    def __init__(self) -> None:
        self._heard: dict[UUID, asyncio.Event] = {}

    async def await_for_a_moment(self, order_id: UUID) -> None:
        """Waits until the tickets of an order that is confirmed are there, or for as long as a page may be late."""
        with span("web.await_tickets", {"onsale.order_id": str(order_id)}):
            try:
                await asyncio.wait_for(self._of(order_id).wait(), SOON_SECONDS)
            except TimeoutError:
                return

    async def on_fact(self, fact: CloudEvent) -> None:
        """The firehose says that the tickets of an order are there."""
        try:
            self._of(OrderHeard.model_validate(fact.data).order_id).set()
        except ValidationError:
            # The fact is about no order.
            return

    def _of(self, order_id: UUID) -> asyncio.Event:
        event = self._heard.setdefault(order_id, asyncio.Event())
        if len(self._heard) > MOST_ORDERS:
            del self._heard[next(iter(self._heard))]
        return event
