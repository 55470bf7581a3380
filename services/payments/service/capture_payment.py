"""Takes the money of an authorised payment."""

from uuid import UUID

from chassis.db import Database
from services.payments import gateway_queries
from services.payments.domain import (
    CaptureRefused,
    GatewayUnavailable,
    Operation,
    OperationKind,
    Payment,
    PaymentState,
    PaymentUnknown,
)
from services.payments.service.gateway_operations import GatewayOperations, is_refused
from tracing.spans import note, span

# Look, capture, then look once more.
ROUNDS = 3
# One of these is written of each authorised payment that was asked for.
_DECIDING = frozenset({OperationKind.CAPTURE, OperationKind.VOID})


class CapturePayment:
    """The decision is written down before the gateway is asked, and safe to repeat."""

    def __init__(self, database: Database, operations: GatewayOperations, *, ask_again_seconds: float) -> None:
        self._database = database
        self._operations = operations
        self._ask_again_seconds = ask_again_seconds

    async def __call__(self, payment_id: UUID) -> Payment:
        """Takes the money, once. Raises CaptureRefused (for good), GatewayUnavailable (unknown: ask again)."""
        with span("payments.capture_payment", {"onsale.payment_id": str(payment_id)}):
            return await self._capture(payment_id)

    async def _capture(self, payment_id: UUID) -> Payment:
        for _ in range(ROUNDS):
            payment, operation = await self._decide_capture(payment_id)
            note(payment.attributes())
            if operation is not None:
                carried_out = await self._operations.carry_out(operation)
                if carried_out is not None and carried_out.state is PaymentState.CAPTURED:
                    return carried_out
            elif payment.state is PaymentState.CAPTURED:
                return payment
            elif (await self._operations.refresh(payment)).state is PaymentState.CREATED:
                raise CaptureRefused(payment.state, "not_authorised")
        raise GatewayUnavailable

    async def _decide_capture(self, payment_id: UUID) -> tuple[Payment, Operation | None]:
        payment, operations = await self._decided(payment_id)
        if payment.state is PaymentState.AUTHORISED and not operations.keys() & _DECIDING:
            payment, operations = await self._decided(payment_id)  # written by somebody else in the same moment
        if payment.state in {PaymentState.CAPTURED, PaymentState.CREATED}:
            return payment, None
        if payment.state is not PaymentState.AUTHORISED:
            raise CaptureRefused(payment.state, f"payment_{payment.state}")
        if OperationKind.VOID in operations:
            raise CaptureRefused(payment.state, "called_off")
        operation = operations[OperationKind.CAPTURE]
        if is_refused(operation):
            raise CaptureRefused(payment.state, operation.refusal or "refused")
        return payment, operation

    async def _decided(self, payment_id: UUID) -> tuple[Payment, dict[OperationKind, Operation]]:
        async with self._database.writer(single=True) as tx:
            decided = await gateway_queries.decide_capture(tx, payment_id, workers_wait_seconds=self._ask_again_seconds)
        if decided is None or decided[0].terms is None:
            raise PaymentUnknown(payment_id)
        return decided
