"""What orders decides about a payment: to look, to take the money, to call it off."""

from uuid import UUID

from chassis.db import Database, Transaction
from services.payments import queries
from services.payments.domain import (
    CaptureRefused,
    GatewayUnavailable,
    Operation,
    OperationKind,
    Payment,
    PaymentState,
    PaymentUnknown,
)
from services.payments.service.settling import Settler, is_refused
from tracing.spans import current_traceparent, note, span

# Void, then refund what was captured meanwhile, then look once more.
ROUNDS = 3
_WAITING = frozenset({PaymentState.CREATED, PaymentState.AUTHORISED})


class Deciding:
    """Each decision is written down before the gateway is asked, and safe to repeat."""

    def __init__(self, database: Database, settler: Settler, *, ask_again_seconds: float) -> None:
        self._database = database
        self._settler = settler
        self._ask_again_seconds = ask_again_seconds

    async def look_up(self, payment_id: UUID, *, refresh: bool) -> Payment:
        """A payment; with `refresh` the gateway is asked first. Raises PaymentUnknown, GatewayUnavailable."""
        async with self._database.reader() as reads:
            payment = await queries.payment_by_id(reads, payment_id)
        if payment is None:
            raise PaymentUnknown(payment_id)
        if refresh and payment.state in _WAITING:
            return await self._settler.see(payment)
        return payment

    async def capture(self, payment_id: UUID) -> Payment:
        """Takes the money, once. Raises CaptureRefused (for good), GatewayUnavailable (unknown: ask again)."""
        with span("payments.capture_payment", {"onsale.payment_id": str(payment_id)}):
            return await self._capture(payment_id)

    async def _capture(self, payment_id: UUID) -> Payment:
        for _ in range(ROUNDS):
            payment, operation = await self._decide_capture(payment_id)
            note(payment.attributes())
            if operation is not None:
                await self._settler.settle(operation)
            elif payment.state is PaymentState.CAPTURED:
                return payment
            elif (await self._settler.see(payment)).state is PaymentState.CREATED:
                raise CaptureRefused(payment.state, "not_authorised")
        raise GatewayUnavailable

    async def _decide_capture(self, payment_id: UUID) -> tuple[Payment, Operation | None]:
        async with self._database.writer() as tx:
            payment = await queries.locked_payment(tx, payment_id)
            if payment is None or payment.terms is None:
                raise PaymentUnknown(payment_id)
            if payment.state in {PaymentState.CAPTURED, PaymentState.CREATED}:
                return payment, None
            if payment.state is not PaymentState.AUTHORISED:
                raise CaptureRefused(payment.state, f"payment_{payment.state}")
            if OperationKind.VOID in await queries.operations_of(tx, payment_id):
                raise CaptureRefused(payment.state, "called_off")
            operation = await self._decided(tx, payment, OperationKind.CAPTURE)
            if is_refused(operation):
                raise CaptureRefused(payment.state, operation.refusal or "refused")
            return payment, operation

    async def void(self, payment_id: UUID) -> Payment:
        """Calls a payment off: voids it, or refunds what was captured. One that is not known can never be made then.

        Raises GatewayUnavailable; the decision stands all the same, and the workers go on with it.
        """
        with span("payments.void_payment", {"onsale.payment_id": str(payment_id)}):
            return await self._void(payment_id)

    async def _void(self, payment_id: UUID) -> Payment:
        for _ in range(ROUNDS):
            payment, operation = await self._decide_void(payment_id)
            note(payment.attributes())
            if operation is None:
                return payment
            await self._settler.settle(operation)
        raise GatewayUnavailable

    async def _decide_void(self, payment_id: UUID) -> tuple[Payment, Operation | None]:
        async with self._database.writer() as tx:
            await queries.insert_tombstone(tx, payment_id, current_traceparent())
            payment = await queries.locked_payment(tx, payment_id)
            if payment is None:
                raise PaymentUnknown(payment_id)
            if payment.state in {PaymentState.VOIDED, PaymentState.REFUNDED}:
                return payment, None
            if payment.state is PaymentState.CAPTURED:
                return payment, await self._decided(tx, payment, OperationKind.REFUND)
            if payment.state is PaymentState.DECLINED or payment.gateway_payment_id is None:
                # No money is reserved, and nobody has got the address of a page where it could be.
                return await self._settler.step(tx, payment, PaymentState.VOIDED), None
            return payment, await self._decided(tx, payment, OperationKind.VOID)

    async def _decided(self, tx: Transaction, payment: Payment, kind: OperationKind) -> Operation:
        """The operation; the caller settles it at once, and the workers only if that does not end well."""
        return await queries.insert_operation(tx, payment, kind, workers_wait_seconds=self._ask_again_seconds)
