"""Looks at an order whose payer has come back from the bank, without waiting for the bank's webhook."""

from uuid import UUID

from services.orders.domain import Order
from services.orders.service.find_orders import FindOrders
from services.orders.service.saga import Saga
from services.orders.service.transitions import attributes_of
from tracing.spans import note, span


class RefreshOrder:
    """The saga asks payments now."""

    def __init__(self, find_orders: FindOrders, saga: Saga) -> None:
        self._find_orders = find_orders
        self._saga = saga

    async def __call__(self, order_id: UUID, person_id: UUID) -> Order:
        """The order as it is then. Raises `OrderUnknown`."""
        with span("orders.refresh_order", {"onsale.order_id": str(order_id)}):
            order = await self._saga.drive_for_payer(order_id, person_id)
            # Nothing to do, or it waits, or somebody else is at it: then it is as its row says.
            order = order or await self._find_orders.by_id(order_id, person_id)
            note(attributes_of(order))
            return order
