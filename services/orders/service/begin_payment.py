"""Begins the payment of an order whose places are held. An order that costs nothing is taken at once."""

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
    declined,
    payment_description,
    payment_id_of,
)
from services.orders.refusals import HoldExpired, OrderNotPayable
from services.orders.service.find_orders import FindOrders
from services.orders.service.saga import Saga
from services.orders.service.transitions import OrderTransitions, money_attributes_of
from tracing.spans import note, span


class BeginPayment:
    """From `held` to `paying`; again while paying it is the same payment again."""

    def __init__(
        self,
        database: Database,
        find_orders: FindOrders,
        transitions: OrderTransitions,
        saga: Saga,
        payments: PaymentsClient,
        margin_seconds: int,
    ) -> None:
        self._database = database
        self._find_orders = find_orders
        self._transitions = transitions
        self._saga = saga
        self._payments = payments
        self._margin_seconds = margin_seconds

    async def __call__(self, order_id: UUID, person_id: UUID, return_url: str) -> Order:
        """Begins the payment; `redirect_url` says where to pay.

        Raises `OrderNotPayable`, `HoldExpired`; `EventCancelled` or `NotOnSale` if the event does not take place as planned.
        """
        order = await self._find_orders.by_id(order_id, person_id)
        if order.state is OrderState.PAYING:
            return order
        if order.state is not OrderState.HELD or order.hold_seconds_left is None:
            raise HoldExpired if order.reason == "expired" else OrderNotPayable(order.state)
        check_event_of(order)
        if order.hold_seconds_left <= self._margin_seconds:
            raise HoldExpired
        if order.total_minor == 0:
            return await self._take_free(order)
        with span("orders.begin_payment", money_attributes_of(order)):
            try:
                return await self._begin(order, return_url)
            except PaymentImpossible:
                return await self._begin_anew(order, return_url)

    async def _begun_by_another_click(self, order: Order) -> Order:
        now = await self._find_orders.by_id(order.order_id, order.person_id)
        if now.state is not OrderState.PAYING:
            raise OrderNotPayable(now.state)
        return now

    async def _take_free(self, order: Order) -> Order:
        try:
            taken = await self._transitions.apply_and_take(order, Happening.NOTHING_TO_PAY)
        except ImpossibleTransition:
            # A second click was faster, or the hold has just ended: the order says which.
            return await self._find_orders.by_id(order.order_id, order.person_id)
        return await self._saga.carry_on(taken) or await self._find_orders.by_id(order.order_id, order.person_id)

    async def _begin_anew(self, order: Order, return_url: str) -> Order:
        """Begins another payment: payments gave the last one up for good, and the buyer may have taken more time since it began."""
        refused = payment_id_of(order.order_id, order.payment_attempt)
        try:
            order = await self._transitions.apply(
                order, Happening.PAYMENT_DECLINED, of_payment=refused, **declined(order, "expired")
            )
            return await self._begin(order, return_url)
        except (ImpossibleTransition, PaymentImpossible) as impossible:
            # The order was called off while the buyer clicked, or its time to pay is over.
            raise HoldExpired from impossible

    async def _begin(self, order: Order, return_url: str) -> Order:
        """Raises PaymentImpossible if payments has given this payment up for good."""
        payment_id = payment_id_of(order.order_id, order.payment_attempt)
        note({"onsale.payment_id": str(payment_id), "onsale.attempt": order.payment_attempt})
        async with self._database.writer(single=True) as tx:
            is_ours = await queries.begin_payment(tx, order, payment_id)
        if not is_ours or order.hold_expires_at is None:
            return await self._begun_by_another_click(order)
        redirect_url = await self._payments.begin(
            payment_id,
            order_id=order.order_id,
            amount_minor=order.total_minor,
            currency=order.currency,
            description=payment_description(order.event_title, order.number),
            return_url=return_url,
            pay_by=order.hold_expires_at - timedelta(seconds=self._margin_seconds),
        )
        try:
            return await self._transitions.apply(
                order, Happening.PAYMENT_BEGUN, of_payment=payment_id, redirect_url=redirect_url
            )
        except ImpossibleTransition:
            # A second click was faster, the hold has just ended, or this payment was declined while its answer was on its way: the
            # later event decides.
            return await self._find_orders.by_id(order.order_id, order.person_id)
