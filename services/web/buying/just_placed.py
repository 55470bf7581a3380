"""Orders as placing them was answered, for the page to which that leads: it need not ask for what was said a moment before.

Each is shown once, to who has placed it, within a moment, and only until the bus says that it has moved on. What another process of
web has placed is not here: then the order is asked for, as it is whenever the page is read again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chassis.facts import Heard
from services.web.clients.orders import Order
from services.web.frame.visitors import Visitor

# A browser follows the way to its order at once.
SOON_SECONDS = 2.0
MOST_ORDERS = 1_000


class OrderMoved(Heard):
    """A bus message: how an order is now."""

    order_id: UUID
    state: str


class JustPlaced:
    """What is kept is neither asked for again nor changed: whoever wants to act on an order asks orders."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[UUID, tuple[float, UUID, Order]] = OrderedDict()

    def keep(self, visitor: Visitor, order: Order) -> None:
        """This visitor has placed an order."""
        if visitor.session is None:
            return
        self._kept[order.order_id] = (self._clock(), visitor.session.person_id, order)
        if len(self._kept) > MOST_ORDERS:
            self._kept.popitem(last=False)

    def take(self, visitor: Visitor, order_id: UUID) -> Order | None:
        """The order, if this visitor has placed it just now and has not seen it yet."""
        placed_at, person_id, order = self._kept.get(order_id, (0.0, None, None))
        if order is None or visitor.session is None or visitor.session.person_id != person_id:
            return None
        del self._kept[order_id]
        return order if self._clock() - placed_at <= SOON_SECONDS else None

    async def on_order_changed(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says how an order is: what is kept of it holds only if it says the same."""
        try:
            moved = OrderMoved.model_validate(payload)
        except ValidationError:
            # The message is about no order.
            return
        kept = self._kept.get(moved.order_id)
        if kept is not None and kept[2].state != moved.state:
            del self._kept[moved.order_id]
