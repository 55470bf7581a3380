"""Makes a payment, and opens the page at the gateway where its payer authorises it."""

from datetime import timedelta

from chassis.clock import utc_now
from chassis.db import Database
from chassis.work import Work
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
from tracing.spans import note, span

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
        payment, work = await self._remember(terms)
        note({"onsale.payment_state": payment.state.value, "onsale.attempt": payment.attempt})
        if payment.state is PaymentState.VOIDED:
            raise PaymentCalledOff(payment.payment_id)
        if payment.state is PaymentState.DECLINED and payment.redirect_url is None:
            raise PaymentRefused(payment.decline_reason or "unknown")
        if payment.redirect_url is None:
            payment = await (self._ask(payment, work) if work else self.open_session(payment))
        return payment, work is not None

    async def open_session(self, payment: Payment, *, from_others: bool = True) -> Payment:
        """Asks the gateway for a session, always with the same key, and notes it. `from_others`: see `GatewayOperations.carry_out`."""
        async with self._database.writer(single=True) as tx:
            taken = await gateway_queries.take_operation(
                tx, payment.key_of(OperationKind.AUTHORISE), self._ask_again_seconds, from_others=from_others
            )
        if taken is None and not from_others:
            return payment
        return await self._ask(payment, taken.work if taken else None)

    async def _ask(self, payment: Payment, work: Work | None) -> Payment:
        terms = payment.the_terms
        if utc_now() > terms.pay_by + timedelta(minutes=1):
            # The address of the page was given to nobody, and the time to pay is over at the gateway too.
            await self._refuse(payment, _EXPIRED)
            raise PaymentRefused(_EXPIRED)
        try:
            seen = await self._gateway.open_session(payment.key_of(OperationKind.AUTHORISE), terms)
        except GatewaySilent as error:
            if work is not None:
                await self._operations.ask_again_later(work, error)
            raise GatewayUnavailable from error
        except GatewayRefused as refused:
            await self._refuse(payment, refused.code)
            raise PaymentRefused(refused.code) from refused
        opened = await self._note_session(payment, seen)
        if opened.state is PaymentState.VOIDED:
            raise PaymentCalledOff(opened.payment_id)
        return opened

    async def _remember(self, terms: Terms) -> tuple[Payment, Work | None]:
        """The payment, and its first try to be opened if it is new."""
        while True:
            async with self._database.writer(single=True) as tx:
                written = await queries.insert_payment(tx, terms, self._ask_again_seconds)
            if written is not None:
                return written
            async with self._database.writer(single=True) as tx:
                known = await queries.payments_of_order(tx, terms)
            for payment in known:
                if payment.payment_id == terms.payment_id:
                    return _same(payment, terms), None
            if live := live_one(known):
                raise OrderHasPayment(live.payment_id)
            # What was in the way has ended since, or came just before: the next attempt has the next number.

    async def _note_session(self, payment: Payment, seen: Seen) -> Payment:
        found = (payment.payment_id, seen.gateway_payment_id, seen.redirect_url, self._ask_after_seconds)
        if seen.state is PaymentState.CREATED:
            async with self._database.writer(single=True) as tx:
                stored = await queries.store_session(tx, *found, states=(PaymentState.CREATED,))
            if stored is not None:
                return stored
        async with self._database.writer() as tx:
            stored = await queries.store_session(tx, *found)
            if stored is None:
                raise PaymentUnknown(payment.payment_id)
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
