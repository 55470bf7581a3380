"""Placing an order: prices are taken as a snapshot, places are held. What fails in between gives the places back at once."""

import asyncio
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database
from chassis.errors import StoreUnavailable
from chassis.failpoints import failpoint
from chassis.ids import uuid7
from chassis.logs import log
from chassis.tasks import to_its_end
from chassis.worker import Worker
from services.orders import queries
from services.orders.clients.catalog import CatalogClient
from services.orders.clients.inventory import Hold, InventoryClient
from services.orders.domain import (
    Happening,
    ImpossibleTransition,
    Offer,
    Order,
    OrderState,
    Wish,
    check_limit_of_buyer,
    check_open_orders,
    check_wish,
    new_number,
    new_order,
    priced,
)
from services.orders.refusals import OrdersError, SeatsTaken, SoldOut
from services.orders.service.saga import Saga
from services.orders.service.transitions import OrderTransitions, attributes_of
from tracing.spans import current_trace_id, current_traceparent, note, span

NUMBERS_DRAWN = 10
ABANDON_PAUSES_SECONDS = (0.2, 0.4)

_LOG = log(__name__)


class PlaceOrder:
    """From a wish to an order in `held`."""

    def __init__(
        self,
        database: Database,
        transitions: OrderTransitions,
        catalog: CatalogClient,
        inventory: InventoryClient,
        saga: Saga,
        worker: Worker,
        hold_ttl_seconds: int,
        abandoned_after_seconds: float,
    ) -> None:
        self._database = database
        self._transitions = transitions
        self._catalog = catalog
        self._inventory = inventory
        self._saga = saga
        self._worker = worker
        self._hold_ttl_seconds = hold_ttl_seconds
        self._abandoned_after_seconds = abandoned_after_seconds

    async def __call__(self, person_id: UUID, wish: Wish, request_key: str) -> Order:
        """Makes an order and holds its places. Raises what catalog and inventory refuse with.

        The order's row, with the hold's id, is written before inventory is asked: after any crash the places can be found
        and given back. The same `request_key` again finds the order that it has placed, unless that was cancelled.
        """
        offer = await self._catalog.offer(wish.event_id)
        check_wish(wish, offer)
        with span("orders.reserve_places", {"onsale.event_id": str(wish.event_id), "onsale.places": wish.count}):
            order = await self._insert(person_id, wish, offer, request_key)
            note({**attributes_of(order), "onsale.hold_id": str(order.hold_id)})
            if order.state is not OrderState.PLACING:
                note({"onsale.duplicate": True})
                return order
            failpoint("orders.before.hold")
            try:
                hold = await self._hold(order, wish, request_key)
            except OrdersError:
                await self._transitions.apply(order, Happening.HOLD_REFUSED)
                raise
            except BaseException:
                await to_its_end(self._abandon(order))
                raise
            placed = await self._price_or_abandon(order, hold, offer)
            note({"onsale.total_minor": placed.total_minor, "onsale.currency": placed.currency})
            return placed

    async def _insert(self, person_id: UUID, wish: Wish, offer: Offer, request_key: str) -> Order:
        """The order of this request: a new one in `placing`, or the one that it has already."""
        traceparent, trace_id, now = current_traceparent(), current_trace_id(), utc_now()
        order_id, hold_id = uuid7(), uuid7()
        for _ in range(NUMBERS_DRAWN):
            order = new_order(
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
                open_orders = await queries.lock_open_orders(tx, person_id, wish.event_id, request_key)
                check_open_orders(wish, offer.max_per_order, open_orders)
                if offer.max_per_buyer is not None:
                    places = await queries.places_of_buyer(tx, person_id, wish.event_id, request_key)
                    check_limit_of_buyer(wish, offer.max_per_buyer, places)
                if await queries.insert_order(tx, order, wish, self._abandoned_after_seconds, request_key):
                    return order
                known = await queries.order_of_request(tx, person_id, request_key)
            if known is not None and known.reason is None:
                return known
            # The number is taken, once in a very long time: another one is drawn.
        raise StoreUnavailable

    async def _hold(self, order: Order, wish: Wish, request_key: str) -> Hold:
        """Asks for the places; once more, if an earlier try of this very request still has them and lets go of them now."""
        try:
            return await self._ask_for_places(order, wish)
        except (SeatsTaken, SoldOut):
            if not await self._let_go_of_earlier_try(order, request_key):
                raise
            return await self._ask_for_places(order, wish)

    async def _ask_for_places(self, order: Order, wish: Wish) -> Hold:
        return await self._inventory.hold(
            wish,
            hold_id=order.hold_id,
            order_id=order.order_id,
            buyer_id=order.person_id,
            ttl_seconds=self._hold_ttl_seconds,
        )

    async def _let_go_of_earlier_try(self, order: Order, request_key: str) -> bool:
        async with self._database.writer(single=True) as tx:
            earlier = await queries.cancelling_of_request(tx, order.person_id, request_key)
        for order_id in earlier:
            await self._saga.drive(order_id)
        return bool(earlier)

    async def _price_or_abandon(self, order: Order, hold: Hold, offer: Offer) -> Order:
        try:
            return await self._price(order, hold, offer)
        except BaseException:
            await to_its_end(self._abandon(order))
            raise

    async def _price(self, order: Order, hold: Hold, offer: Offer) -> Order:
        lines = priced(hold.lines, offer, order.order_id)
        return await self._transitions.hold(order, lines, hold.expires_at)

    async def _abandon(self, order: Order) -> None:
        """Gives the places of an order back that came to nothing. If not even that can be written, the saga does it later."""
        for pause in (*ABANDON_PAUSES_SECONDS, None):
            try:
                await self._transitions.apply(order, Happening.ABANDONED)
            except ImpossibleTransition:
                # The order is held after all: only the answer of the commit was lost. A buyer who presses again finds it.
                return
            except Exception as error:  # noqa: BLE001  # whatever it is, the order's timer is set already
                _LOG.warning("an order could not be given up", order_id=str(order.order_id), error=type(error).__name__)
                if pause is not None:
                    await asyncio.sleep(pause)
            else:
                self._worker.wake()
                return
