"""Follows the bank's hints: asks the bank about the payments that they name."""

import asyncio
from dataclasses import replace

from chassis.db import Database
from chassis.logs import log
from chassis.work import Work, claim, finish
from services.payments import gateway_queries, queries
from services.payments.domain import GatewayUnavailable, Payment
from services.payments.service.gateway_operations import SILENT, GatewayOperations
from tracing.spans import continued, link_to, note

# A hint is leased for as long as the bank may take to be asked, and somewhat longer.
LEASED_PAUSES = 4
# After these the payment is asked about anyway, when nothing is heard of it for long.
ATTEMPTS_MAX = 8

_LOG = log(__name__)


class FollowWebhooks:
    """The step of a worker; it does a bounded batch and returns its size."""

    def __init__(self, database: Database, operations: GatewayOperations, *, ask_again_seconds: float) -> None:
        self._database = database
        self._operations = operations
        self._ask_again_seconds = ask_again_seconds

    async def __call__(self) -> int:
        """Asks the gateway about the payments of hints; a bounded batch. How many hints were followed."""
        async with self._database.writer(single=True) as tx:
            claimed = await claim(tx, replace(queries.HINTS, lease_seconds=self._ask_again_seconds * LEASED_PAUSES))
        await asyncio.gather(*(self._follow_one(hint) for hint in claimed))
        return len(claimed)

    async def _follow_one(self, work: Work) -> None:
        hint = work.row
        assert hint is not None, "It was claimed."  # noqa: S101
        async with self._database.reader() as reads:
            payment = await queries.payment_by_gateway_id(reads, hint["gateway_payment_id"])
        origin = payment.traceparent if payment else hint["traceparent"]
        attributes = {"onsale.webhook_id": hint["webhook_id"], "onsale.attempt": work.attempt}
        repeated = work.attempt > 1
        with continued("payments.follow_webhook", origin, attributes, repeated=repeated) as current:
            link_to(current, hint["traceparent"], "caused by")
            problem = (
                await self._look(payment) if payment is not None else "the payment that it hints at is not known yet"
            )
            if problem is None or work.attempt >= ATTEMPTS_MAX:
                await self._leave(work)
            else:
                await self._follow_later(work, problem)

    async def _look(self, payment: Payment) -> str | None:
        note(payment.attributes())
        try:
            await self._operations.refresh(payment)
        except GatewayUnavailable:
            return SILENT
        return None

    async def _follow_later(self, work: Work, problem: str) -> None:
        _LOG.warning("a webhook waits", webhook=str(work.key), attempts=work.attempt, problem=problem)
        async with self._database.writer(single=True) as tx:
            await gateway_queries.ask_again_later(tx, queries.HINTS, work, problem, self._ask_again_seconds)

    async def _leave(self, work: Work) -> None:
        async with self._database.writer(single=True) as tx:
            await finish(tx, queries.HINTS, work, "followed", "handled_at = now()")
