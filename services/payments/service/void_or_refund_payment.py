"""Calls a payment off: voids it, or refunds it if it was captured."""

from uuid import UUID

from chassis.db import Database, Transaction
from services.payments import gateway_queries, queries
from services.payments.domain import (
    GatewayUnavailable,
    Operation,
    OperationKind,
    Payment,
    PaymentState,
    PaymentUnknown,
)
from services.payments.service.gateway_operations import GatewayOperations
from tracing.spans import current_traceparent, note, span

# Void, then refund what was captured meanwhile, then look once more.
ROUNDS = 3


class VoidOrRefundPayment:
    """The decision is written down before the gateway is asked, and safe to repeat."""

    def __init__(self, database: Database, operations: GatewayOperations, *, ask_again_seconds: float) -> None:
        self._database = database
        self._operations = operations
        self._ask_again_seconds = ask_again_seconds

    async def __call__(self, payment_id: UUID) -> Payment:
        """Calls a payment off: voids it, or refunds what was captured. One that is not known can never be made then.

        Raises GatewayUnavailable; the decision stands all the same, and the workers go on with it.
        """
        with span("payments.void_or_refund_payment", {"onsale.payment_id": str(payment_id)}):
            return await self._void(payment_id)

    async def _void(self, payment_id: UUID) -> Payment:
        for _ in range(ROUNDS):
            payment, operation = await self._decide_void(payment_id)
            note(payment.attributes())
            if operation is None:
                return payment
            await self._operations.carry_out(operation)
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
                return await self._operations.step(tx, payment, PaymentState.VOIDED), None
            return payment, await self._decided(tx, payment, OperationKind.VOID)

    async def _decided(self, tx: Transaction, payment: Payment, kind: OperationKind) -> Operation:
        """The operation; the caller carries it out at once, and the workers only if that does not end well."""
        return await gateway_queries.insert_operation(tx, payment, kind, workers_wait_seconds=self._ask_again_seconds)
