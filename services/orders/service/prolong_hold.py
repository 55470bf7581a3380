"""Gives a buyer more time for an order whose places are held."""

from datetime import timedelta
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database
from services.orders import queries
from services.orders.clients.inventory import HoldLost, InventoryClient
from services.orders.domain import Happening, ImpossibleTransition, Order, OrderState, longest_hold
from services.orders.refusals import HoldExpired, OrderNotPayable, OrderUnknown
from services.orders.service.transitions import OrderTransitions, attributes_of
from tracing.spans import note, span

PROLONG_TRIES = 3


class ProlongHold:
    """A hold may last for `hold_longest_seconds` altogether, however often it is prolonged."""

    def __init__(
        self,
        database: Database,
        transitions: OrderTransitions,
        inventory: InventoryClient,
        hold_ttl_seconds: int,
        hold_longest_seconds: int,
    ) -> None:
        self._database = database
        self._transitions = transitions
        self._inventory = inventory
        self._hold_ttl_seconds = hold_ttl_seconds
        self._hold_longest_seconds = hold_longest_seconds

    async def __call__(self, order_id: UUID, person_id: UUID) -> Order:
        """The full time from now, as far as a hold may last altogether; never less than before.

        Raises `OrderUnknown`, `OrderNotPayable`, `HoldExpired`.
        """
        with span("orders.prolong_hold", {"onsale.order_id": str(order_id)}):
            for _ in range(PROLONG_TRIES):
                order = await self._held(order_id, person_id)
                note(attributes_of(order))
                try:
                    return await self._prolong(order)
                except ImpossibleTransition:
                    continue  # Another press of the same button was faster, or the hold has just ended: it is looked at anew.
            return await self._held(order_id, person_id)

    async def _prolong(self, order: Order) -> Order:
        until = longest_hold(order.created_at, self._hold_longest_seconds)
        left = min(timedelta(seconds=self._hold_ttl_seconds), until - utc_now())
        if left < timedelta(seconds=1):
            return order
        try:
            expires_at = await self._inventory.prolong(order.event_id, order.hold_id, seconds=int(left.total_seconds()))
        except HoldLost as lost:
            raise HoldExpired from lost
        return await self._transitions.apply(order, Happening.HOLD_PROLONGED, hold_expires_at=expires_at)

    async def _held(self, order_id: UUID, person_id: UUID) -> Order:
        async with self._database.reader() as reads:
            order = await queries.order_by_id(reads, order_id, person_id)
        if order is None:
            raise OrderUnknown(order_id)
        if order.state is not OrderState.HELD:
            raise HoldExpired if order.reason == "expired" else OrderNotPayable(order.state)
        return order
