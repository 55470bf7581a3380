"""Shows a payment, as it is known here or as the gateway has it now."""

from uuid import UUID

from chassis.db import Database
from services.payments import queries
from services.payments.domain import Payment, PaymentState, PaymentUnknown
from services.payments.service.gateway_operations import GatewayOperations

_WAITING = frozenset({PaymentState.CREATED, PaymentState.AUTHORISED})


class LookUpPayment:
    """Only a payment that may still change is asked about."""

    def __init__(self, database: Database, operations: GatewayOperations) -> None:
        self._database = database
        self._operations = operations

    async def __call__(self, payment_id: UUID, *, refresh: bool) -> Payment:
        """A payment; with `refresh` the gateway is asked first. Raises PaymentUnknown, GatewayUnavailable."""
        if refresh:
            await self._operations.under_way.over(payment_id)
        async with self._database.reader() as reads:
            payment = await queries.payment_by_id(reads, payment_id)
        if payment is None:
            raise PaymentUnknown(payment_id)
        if refresh and payment.state in _WAITING:
            return await self._operations.refresh(payment)
        return payment
