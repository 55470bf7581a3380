"""Placing an order: prices are taken as a snapshot, places are held."""

from dataclasses import replace
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database
from chassis.failpoints import failpoint
from chassis.ids import uuid7
from services.orders import queries
from services.orders.clients.catalog import CatalogClient
from services.orders.clients.inventory import Hold, InventoryClient
from services.orders.domain import (
    Happening,
    Offer,
    Order,
    OrdersError,
    Wish,
    check_wish,
    new_number,
    priced,
    total_of,
)
from services.orders.service.changes import Changes, told_of
from tracing.spans import current_trace_id, current_traceparent, note, span


class Placing:
    """From a wish to an order in `held`."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        catalog: CatalogClient,
        inventory: InventoryClient,
        hold_ttl_seconds: int,
        abandoned_after_seconds: float,
    ) -> None:
        self._database = database
        self._changes = changes
        self._catalog = catalog
        self._inventory = inventory
        self._hold_ttl_seconds = hold_ttl_seconds
        self._abandoned_after_seconds = abandoned_after_seconds

    async def place_order(self, person_id: UUID, wish: Wish) -> Order:
        """Makes an order and holds its places. Raises what catalog and inventory refuse with.

        The order's row, with the hold's id, is written before inventory is asked: after any crash the places can be found
        and given back.
        """
        offer = await self._catalog.offer(wish.event_id)
        check_wish(wish, offer)
        with span("orders.reserve_places", {"onsale.event_id": str(wish.event_id), "onsale.places": wish.count}):
            order = await self._insert(person_id, wish, offer)
            note({**told_of(order), "onsale.hold_id": str(order.hold_id)})
            failpoint("orders.before.hold")
            try:
                hold = await self._inventory.hold(
                    wish, hold_id=order.hold_id, order_id=order.order_id, ttl_seconds=self._hold_ttl_seconds
                )
            except OrdersError:
                await self._changes.apply(order, Happening.HOLD_REFUSED)
                raise
            placed = await self._price(order, hold, offer)
            note({"onsale.total_minor": placed.total_minor, "onsale.currency": placed.currency})
            return placed

    async def _insert(self, person_id: UUID, wish: Wish, offer: Offer) -> Order:
        traceparent, trace_id, now = current_traceparent(), current_trace_id(), utc_now()
        order_id, hold_id = uuid7(), uuid7()
        while True:
            order = queries.new_order(
                order_id=order_id,
                hold_id=hold_id,
                number=new_number(),
                person_id=person_id,
                offer=offer,
                traceparent=traceparent,
                trace_id=trace_id,
                now=now,
            )
            async with self._database.writer() as tx:
                # A number is taken once in a very long time; then another one is drawn.
                if await queries.insert_order(tx, order, wish, self._abandoned_after_seconds):
                    return order

    async def _price(self, order: Order, hold: Hold, offer: Offer) -> Order:
        lines = priced(hold.lines, offer, order.order_id)
        async with self._database.writer() as tx:
            await queries.insert_lines(tx, order.order_id, lines)
            placed = await self._changes.apply_in(
                tx, order, Happening.HOLD_GRANTED, total_minor=total_of(lines), hold_expires_at=hold.expires_at
            )
        return replace(placed, lines=lines)
