"""Cancels an order for its buyer, before the money is authorised."""

from uuid import UUID

from services.orders.domain import Happening, ImpossibleTransition, Order, OrderState, may_cancel
from services.orders.refusals import OrderNotCancellable
from services.orders.service.find_orders import FindOrders
from services.orders.service.saga import Saga
from services.orders.service.transitions import OrderTransitions, attributes_of
from tracing.spans import note, span

CANCEL_TRIES = 5


class CancelOrder:
    """The places come back in the same request."""

    def __init__(self, find_orders: FindOrders, transitions: OrderTransitions, saga: Saga) -> None:
        self._find_orders = find_orders
        self._transitions = transitions
        self._saga = saga

    async def __call__(self, order_id: UUID, person_id: UUID) -> Order:
        """Gives the places back. Raises `OrderNotCancellable` once the money was authorised."""
        with span("orders.cancel_order", {"onsale.order_id": str(order_id)}):
            return await self._cancel(order_id, person_id)

    async def _cancel(self, order_id: UUID, person_id: UUID) -> Order:
        for _ in range(CANCEL_TRIES):
            order = await self._find_orders.by_id(order_id, person_id)
            note(attributes_of(order))
            if order.state in {OrderState.CANCELLING, OrderState.CANCELLED}:
                return order
            if not may_cancel(order):
                break
            try:
                cancelling = await self._transitions.apply_and_take(order, Happening.BUYER_CANCELLED)
            except ImpossibleTransition:
                continue  # Another click, the saga or the bank moved it meanwhile: whether it can be cancelled is asked anew.
            return await self._saga.carry_on(cancelling) or await self._find_orders.by_id(order_id, person_id)
        raise OrderNotCancellable(order.state)
