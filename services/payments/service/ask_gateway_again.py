"""Asks the gateway by itself: about operations whose outcome is unknown, and about payments of which nothing is heard."""

import asyncio
from collections.abc import Awaitable

from chassis.db import Database
from chassis.logs import log
from chassis.work import Work
from services.payments import gateway_queries, queries
from services.payments.domain import (
    GatewayUnavailable,
    Operation,
    OperationKind,
    Payment,
    PaymentCalledOff,
    PaymentRefused,
    PaymentState,
)
from services.payments.service.gateway_operations import CALLED_OFF, SILENT, GatewayOperations
from services.payments.service.open_payment import OpenPayment
from tracing.spans import continued, mark_failed

_LOG = log(__name__)


class AskGatewayAgain:
    """Steps of workers; each does a bounded batch and returns its size."""

    def __init__(
        self, database: Database, operations: GatewayOperations, open_payment: OpenPayment, *, ask_again_seconds: float
    ) -> None:
        self._database = database
        self._operations = operations
        self._open_payment = open_payment
        self._ask_again_seconds = ask_again_seconds

    async def ask_about_operations(self) -> int:
        """Unknown operations are asked about, and done with the same key, until they are known. Money is never given up."""
        async with self._database.writer(single=True) as tx:
            due = await gateway_queries.due_operations(tx)
        if not due:
            return 0
        async with self._database.writer() as tx:
            pairs = [(operation, await queries.payment_by_id(tx, operation.payment_id)) for operation in due]
        await asyncio.gather(*(self._settle(operation, payment) for operation, payment in pairs if payment))
        return len(due)

    async def ask_about_quiet_payments(self) -> int:
        """Asks the gateway about payments that have waited long: webhooks get lost, and payers do not come back."""
        async with self._database.writer(single=True) as tx:
            quiet = await queries.claim_quiet_payments(tx)
        await asyncio.gather(
            *(
                self._in_its_trace("payments.ask_about_payment", payment, self._look(work, payment))
                for work, payment in quiet
            )
        )
        return len(quiet)

    async def _look(self, work: Work, payment: Payment) -> None:
        try:
            await self._operations.refresh(payment)
        except GatewayUnavailable:
            async with self._database.writer(single=True) as tx:
                await gateway_queries.ask_again_later(tx, queries.QUIET, work, SILENT, self._ask_again_seconds)
            raise
        async with self._database.writer() as tx:
            await queries.ask_later(tx, work)

    async def _settle(self, operation: Operation, payment: Payment) -> None:
        if operation.kind is not OperationKind.AUTHORISE:
            work: Awaitable[object] = self._operations.carry_out(operation, from_others=False)
        elif payment.state is PaymentState.CREATED:
            work = self._open_payment.open_session(payment, from_others=False)
        else:
            work = self._give_up_session(payment)
        asked = {"onsale.operation": operation.kind.value, "onsale.attempt": operation.attempts + 1}
        await self._in_its_trace("payments.ask_about_operation", payment, work, asked)

    async def _give_up_session(self, payment: Payment) -> None:
        async with self._database.writer(single=True) as tx:
            await gateway_queries.settle_operation(tx, payment.payment_id, OperationKind.AUTHORISE, CALLED_OFF)

    async def _in_its_trace(
        self, name: str, payment: Payment, work: Awaitable[object], asked: dict[str, str | int] | None = None
    ) -> None:
        attributes = payment.attributes() | (asked or {})
        with continued(name, payment.traceparent, attributes, repeated=True) as current:
            try:
                await work
            except GatewayUnavailable:
                mark_failed(current, SILENT)
            except (PaymentRefused, PaymentCalledOff) as refused:
                _LOG.info("a payment cannot be opened", payment=str(payment.payment_id), code=refused.code)
