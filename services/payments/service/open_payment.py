"""Makes a payment, and opens the page at the gateway where its payer authorises it."""

from datetime import timedelta

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from services.payments import gateway_queries, queries
from services.payments.domain import (
    GatewayUnavailable,
    OperationKind,
    OrderHasPayment,
    Payment,
    PaymentCalledOff,
    PaymentDiffers,
    PaymentRefused,
    PaymentState,
    PaymentUnknown,
    Terms,
    live_one,
)
from services.payments.gateway import Gateway, GatewayRefused, GatewaySilent, Seen
from services.payments.service.gateway_operations import GatewayOperations
from tracing.spans import current_traceparent, note, span

_EXPIRED = "expired"


class OpenPayment:
    """Safe to repeat with the same id."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        operations: GatewayOperations,
        *,
        ask_after_seconds: float,
        ask_again_seconds: float,
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._operations = operations
        self._ask_after_seconds = ask_after_seconds
        self._ask_again_seconds = ask_again_seconds

    async def __call__(self, terms: Terms) -> tuple[Payment, bool]:
        """The payment with these terms, and whether it is new.

        Raises PaymentDiffers, PaymentCalledOff, OrderHasPayment, PaymentRefused, or GatewayUnavailable (repeat it then).
        """
        with span("payments.open_payment", terms.attributes()):
            return await self._open(terms)

    async def _open(self, terms: Terms) -> tuple[Payment, bool]:
        payment, is_new = await self._remember(terms)
        note({"onsale.payment_state": payment.state.value, "onsale.attempt": payment.attempt})
        if payment.state is PaymentState.VOIDED:
            raise PaymentCalledOff(payment.payment_id)
        if payment.state is PaymentState.DECLINED and payment.redirect_url is None:
            raise PaymentRefused(payment.decline_reason or "unknown")
        if payment.redirect_url is None:
            payment = await self.open_session(payment)
        return payment, is_new

    async def open_session(self, payment: Payment, *, from_others: bool = True) -> Payment:
        """Asks the gateway for a session, always with the same key, and notes it. `from_others`: see `GatewayOperations.carry_out`."""
        terms, key = payment.the_terms, payment.key_of(OperationKind.AUTHORISE)
        async with self._database.writer(single=True) as tx:
            taken = await gateway_queries.take_operation(tx, key, self._ask_again_seconds, from_others=from_others)
        if taken is None and not from_others:
            return payment
        if utc_now() > terms.pay_by + timedelta(minutes=1):
            # The address of the page was given to nobody, and the time to pay is over at the gateway too.
            await self._refuse(payment, _EXPIRED)
            raise PaymentRefused(_EXPIRED)
        try:
            seen = await self._gateway.open_session(key, terms)
        except GatewaySilent as error:
            if taken is not None:
                await self._operations.ask_again_later(taken.work, error)
            raise GatewayUnavailable from error
        except GatewayRefused as refused:
            await self._refuse(payment, refused.code)
            raise PaymentRefused(refused.code) from refused
        opened = await self._note_session(payment, seen)
        if opened.state is PaymentState.VOIDED:
            raise PaymentCalledOff(opened.payment_id)
        return opened

    async def _remember(self, terms: Terms) -> tuple[Payment, bool]:
        async with self._database.writer() as tx:
            known = await queries.payment_by_id(tx, terms.payment_id)
            if known is not None:
                return _same(known, terms), False
            others = await queries.payments_of_order(tx, terms.order_id)
            if live := live_one([other for other in others if other.payment_id != terms.payment_id]):
                raise OrderHasPayment(live.payment_id)
            attempt = max((other.attempt for other in others), default=0) + 1
            is_new = await queries.insert_payment(tx, terms, attempt, current_traceparent())
            payment = await self._written(tx, terms)
            if is_new:
                await gateway_queries.insert_operation(
                    tx, payment, OperationKind.AUTHORISE, workers_wait_seconds=self._ask_again_seconds
                )
            return payment, is_new

    async def _written(self, tx: Transaction, terms: Terms) -> Payment:
        payment = await queries.payment_by_id(tx, terms.payment_id)
        if payment is None:
            raise PaymentUnknown(terms.payment_id)
        return _same(payment, terms)

    async def _note_session(self, payment: Payment, seen: Seen) -> Payment:
        async with self._database.writer() as tx:
            stored = await queries.store_session(
                tx, payment.payment_id, seen.gateway_payment_id, seen.redirect_url, self._ask_after_seconds
            )
            await gateway_queries.settle_operation(tx, payment.payment_id, OperationKind.AUTHORISE, None)
            return (await self._operations.apply(tx, stored, seen)).payment

    async def _refuse(self, payment: Payment, reason: str) -> None:
        async with self._database.writer() as tx:
            fresh = await queries.locked_payment(tx, payment.payment_id)
            await gateway_queries.settle_operation(tx, payment.payment_id, OperationKind.AUTHORISE, reason)
            if fresh is not None and fresh.state is PaymentState.CREATED:
                await self._operations.step(tx, fresh, PaymentState.DECLINED, reason=reason)


def _same(payment: Payment, terms: Terms) -> Payment:
    """The payment, if it is the one that is asked for. A repeated request may word its description or deadline anew."""
    if payment.terms is None:
        raise PaymentCalledOff(payment.payment_id)
    made, asked = payment.terms, terms
    if (made.order_id, made.amount_minor, made.currency) != (asked.order_id, asked.amount_minor, asked.currency):
        raise PaymentDiffers(payment.payment_id)
    return payment
