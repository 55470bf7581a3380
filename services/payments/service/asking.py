"""Asks the gateway by itself: about operations whose outcome is unknown, and about payments of which nothing is heard."""

import asyncio
from collections.abc import Awaitable

from chassis.db import Database
from chassis.logs import log
from services.payments import queries
from services.payments.domain import (
    GatewayUnavailable,
    Operation,
    OperationKind,
    Payment,
    PaymentCalledOff,
    PaymentRefused,
    PaymentState,
)
from services.payments.service.opening import Opening
from services.payments.service.settling import CALLED_OFF, Settler
from tracing.spans import continued, mark_failed

BATCH = 10

_LOG = log(__name__)


class Asking:
    """Steps of workers; each does a bounded batch and returns its size."""

    def __init__(self, database: Database, settler: Settler, opening: Opening, *, ask_again_seconds: float) -> None:
        self._database = database
        self._settler = settler
        self._opening = opening
        self._ask_again_seconds = ask_again_seconds

    async def ask_about_operations(self) -> int:
        """Unknown operations are asked about, and done with the same key, until they are known. Money is never given up."""
        async with self._database.writer() as tx:
            claimed = await queries.claim_unknown_operations(tx, BATCH, self._ask_again_seconds)
            pairs = [(operation, await queries.payment_by_id(tx, operation.payment_id)) for operation in claimed]
        await asyncio.gather(*(self._settle(operation, payment) for operation, payment in pairs if payment))
        return len(claimed)

    async def ask_about_quiet_payments(self) -> int:
        """Webhooks get lost, and payers do not come back: whoever waits for long is asked about."""
        async with self._database.writer() as tx:
            quiet = await queries.claim_quiet_payments(tx, BATCH)
        await asyncio.gather(
            *(self._told("payments.ask_about_payment", payment, self._settler.see(payment)) for payment in quiet)
        )
        return len(quiet)

    async def _settle(self, operation: Operation, payment: Payment) -> None:
        if operation.kind is not OperationKind.AUTHORISE:
            work: Awaitable[object] = self._settler.settle(operation)
        elif payment.state is PaymentState.CREATED:
            work = self._opening.open_session(payment)
        else:
            work = self._give_up_session(payment)
        asked = {"onsale.operation": operation.kind.value, "onsale.attempt": operation.attempts}
        await self._told("payments.ask_about_operation", payment, work, asked)

    async def _give_up_session(self, payment: Payment) -> None:
        async with self._database.writer() as tx:
            await queries.settle_operation(tx, payment.payment_id, OperationKind.AUTHORISE, CALLED_OFF)

    async def _told(
        self, name: str, payment: Payment, work: Awaitable[object], asked: dict[str, str | int] | None = None
    ) -> None:
        attributes = payment.told() | (asked or {})
        with continued(name, payment.traceparent, attributes, repeated=True) as current:
            try:
                await work
            except GatewayUnavailable:
                mark_failed(current, "the gateway is silent")
            except (PaymentRefused, PaymentCalledOff) as refused:
                _LOG.info("a payment cannot be opened", payment=str(payment.payment_id), code=refused.code)
