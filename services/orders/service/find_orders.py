"""Finds orders for their buyer. Somebody else's order is as unknown as one that does not exist."""

from uuid import UUID

from chassis.db import Database
from services.orders import queries
from services.orders.domain import Order, OrderState
from services.orders.refusals import OrderUnknown


class FindOrders:
    """Orders of one person, by their id, by the request that placed one, or as a list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, order_id: UUID, person_id: UUID) -> Order:
        """An order. Raises `OrderUnknown`."""
        async with self._database.reader() as reads:
            order = await queries.order_by_id(reads, order_id, person_id)
        if order is None:
            raise OrderUnknown(order_id)
        return order

    async def of_person(
        self, person_id: UUID, after: UUID | None, limit: int, open_for: UUID | None = None
    ) -> list[Order]:
        """A person's orders, newest first; with `open_for` those that hold places of this event."""
        async with self._database.reader() as reads:
            return await queries.orders_of_person(reads, person_id, after, limit, open_for)

    async def by_request(self, person_id: UUID, request_key: str) -> Order | None:
        """The order of a request whose answer was lost; None if it has none, or none yet."""
        async with self._database.reader() as reads:
            order = await queries.order_of_request(reads, person_id, request_key)
        return order if order is not None and order.state is not OrderState.PLACING and order.reason is None else None
