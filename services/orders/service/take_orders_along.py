"""Hands the open orders of a guest to the account to which they have signed in."""

from uuid import UUID

from chassis.db import Database
from services.orders import queries
from tracing.spans import span


class TakeOrdersAlong:
    """Safe to repeat."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, guest_id: UUID, person_id: UUID) -> list[UUID]:
        """A guest has signed in: their open orders belong to the account from now on. Which orders these are."""
        with span("orders.take_orders_along"):
            async with self._database.writer(single=True) as tx:
                return await queries.change_person(tx, guest_id, person_id)
