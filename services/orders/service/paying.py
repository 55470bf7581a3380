"""What a buyer does with an order that exists: pays, comes back, cancels, looks."""

from datetime import timedelta
from uuid import UUID

from chassis.db import Database
from services.orders import queries
from services.orders.clients.payments import PaymentImpossible, PaymentsClient
from services.orders.domain import (
    Happening,
    ImpossibleTransition,
    Order,
    OrderState,
    check_event_of,
    may_cancel,
    payment_description,
    payment_id_of,
)
from services.orders.refusals import HoldExpired, OrderNotCancellable, OrderNotPayable, OrderUnknown
from services.orders.service.changes import Changes, attributes_of, money_attributes_of
from services.orders.service.saga import Saga
from tracing.spans import note, span

CANCEL_TRIES = 5


class Paying:
    """A buyer's use cases on one of their orders. Somebody else's order is as unknown as one that does not exist."""

    def __init__(
        self, database: Database, changes: Changes, saga: Saga, payments: PaymentsClient, margin_seconds: int
    ) -> None:
        self._database = database
        self._changes = changes
        self._saga = saga
        self._payments = payments
        self._margin_seconds = margin_seconds

    async def order(self, order_id: UUID, person_id: UUID) -> Order:
        """An order. Raises `OrderUnknown`."""
        async with self._database.reader() as reads:
            order = await queries.order_by_id(reads, order_id, person_id)
        if order is None:
            raise OrderUnknown(order_id)
        return order

    async def orders(
        self, person_id: UUID, after: UUID | None, limit: int, open_for: UUID | None = None
    ) -> list[Order]:
        """A person's orders, newest first; with `open_for` those that hold places of this event."""
        async with self._database.reader() as reads:
            return await queries.orders_of_person(reads, person_id, after, limit, open_for)

    async def checkout(self, order_id: UUID, person_id: UUID, return_url: str) -> Order:
        """Begins the payment; `redirect_url` says where to pay. Again while paying: the same payment again.

        Raises `OrderNotPayable`, `HoldExpired`; `EventCancelled` or `NotOnSale` if the event does not take place as planned.
        """
        order = await self.order(order_id, person_id)
        if order.state is OrderState.PAYING:
            return order
        if order.state is not OrderState.HELD or order.hold_expires_at is None:
            raise HoldExpired if order.reason == "expired" else OrderNotPayable(order.state)
        check_event_of(order)
        async with self._database.reader() as reads:
            left = await queries.seconds_to_expiry(reads, order_id)
        if left <= self._margin_seconds:
            raise HoldExpired
        if order.total_minor == 0:
            return await self._take_free(order)
        with span("orders.begin_payment", money_attributes_of(order)):
            return await self._begin(order, return_url)

    async def refresh(self, order_id: UUID, person_id: UUID) -> Order:
        """The payer came back: the saga asks payments now instead of waiting for the webhook."""
        order = await self.order(order_id, person_id)
        if order.state in {OrderState.PAYING, OrderState.AUTHORISED, OrderState.COMMITTED}:
            with span("orders.refresh_order", attributes_of(order)):
                await self._saga.drive(order_id)
        return await self.order(order_id, person_id)

    async def cancel(self, order_id: UUID, person_id: UUID) -> Order:
        """Gives the places back. Raises `OrderNotCancellable` once the money was authorised."""
        with span("orders.cancel_order", {"onsale.order_id": str(order_id)}):
            return await self._cancel(order_id, person_id)

    async def _cancel(self, order_id: UUID, person_id: UUID) -> Order:
        for _ in range(CANCEL_TRIES):
            order = await self.order(order_id, person_id)
            note(attributes_of(order))
            if order.state in {OrderState.CANCELLING, OrderState.CANCELLED}:
                return order
            if not may_cancel(order):
                break
            try:
                cancelling = await self._changes.apply_and_take(order, Happening.BUYER_CANCELLED)
            except ImpossibleTransition:
                continue  # Another click, the saga or the bank moved it meanwhile: whether it can be cancelled is asked anew.
            await self._saga.carry_on(cancelling)
            return await self.order(order_id, person_id)
        raise OrderNotCancellable(order.state)

    async def _begun_by_another_click(self, order: Order) -> Order:
        now = await self.order(order.order_id, order.person_id)
        if now.state is not OrderState.PAYING:
            raise OrderNotPayable(now.state)
        return now

    async def _take_free(self, order: Order) -> Order:
        try:
            taken = await self._changes.apply_and_take(order, Happening.NOTHING_TO_PAY)
        except ImpossibleTransition:
            # A second click was faster, or the hold has just ended: the order says which.
            return await self.order(order.order_id, order.person_id)
        await self._saga.carry_on(taken)
        return await self.order(order.order_id, order.person_id)

    async def _begin(self, order: Order, return_url: str) -> Order:
        payment_id = payment_id_of(order.order_id, order.payment_attempt)
        note({"onsale.payment_id": str(payment_id), "onsale.attempt": order.payment_attempt})
        async with self._database.writer() as tx:
            is_ours = await queries.begin_payment(tx, order, payment_id)
        if not is_ours or order.hold_expires_at is None:
            return await self._begun_by_another_click(order)
        try:
            redirect_url = await self._payments.begin(
                payment_id,
                order_id=order.order_id,
                amount_minor=order.total_minor,
                currency=order.currency,
                description=payment_description(order.event_title, order.number),
                return_url=return_url,
                pay_by=order.hold_expires_at - timedelta(seconds=self._margin_seconds),
            )
        except PaymentImpossible as impossible:
            # Its time is over, or it was called off while the buyer clicked.
            raise HoldExpired from impossible
        async with self._database.writer() as tx:
            now = await queries.lock_order(tx, order.order_id)
            # In any other state a second click was faster, the hold has just ended, or this payment was declined while its
            # answer was on its way: the later event decides.
            if now is not None and now.state is OrderState.HELD and now.payment_id == payment_id:
                await self._changes.apply_in(tx, now, Happening.PAYMENT_BEGUN, redirect_url=redirect_url)
        return await self.order(order.order_id, order.person_id)
