"""Follows the bank's hints: asks the bank about the payments that they name, unless they say what is known."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.db import Database
from chassis.logs import log
from chassis.work import Work, finish
from services.payments import gateway_queries, queries
from services.payments.domain import GatewayUnavailable, Payment, knowing
from services.payments.gateway import Gateway
from services.payments.service.gateway_operations import SILENT, GatewayOperations
from tracing.spans import continued, link_to, note

# A hint is leased for as long as the bank may take to be asked, and somewhat longer.
LEASED_PAUSES = 4
# After these the payment is asked about anyway, when nothing is heard of it for long.
ATTEMPTS_MAX = 8

_LOG = log(__name__)


@contextmanager
def following(webhook_id: str, payment: Payment | None, traceparent: str | None, *, attempt: int = 1) -> Iterator[None]:
    """The span in which a hint is followed: in the trace that made the payment, with a link to the webhook's."""
    origin = payment.traceparent if payment else traceparent
    attributes = {"onsale.webhook_id": webhook_id, "onsale.attempt": attempt}
    with continued("payments.follow_webhook", origin, attributes, repeated=attempt > 1) as current:
        link_to(current, traceparent, "caused by")
        if payment is not None:
            note(payment.attributes())
        yield


class FollowWebhooks:
    """The step of a worker; it does a bounded batch and returns its size."""

    def __init__(
        self, database: Database, gateway: Gateway, operations: GatewayOperations, *, ask_again_seconds: float
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._operations = operations
        self._ask_again_seconds = ask_again_seconds

    async def __call__(self) -> int:
        """Asks the gateway about the payments of hints; a bounded batch. How many hints were followed."""
        async with self._database.writer(single=True) as tx:
            claimed = await gateway_queries.claim_hints(tx, self._ask_again_seconds * LEASED_PAUSES)
        await asyncio.gather(*(self._follow_one(work, payment) for work, payment in claimed))
        return len(claimed)

    async def _follow_one(self, work: Work, payment: Payment | None) -> None:
        hint = work.row
        assert hint is not None, "It was claimed."  # noqa: S101
        with following(hint["webhook_id"], payment, hint["traceparent"], attempt=work.attempt):
            problem = (
                await self._look(payment, hint["type"]) if payment else "the payment that it hints at is not known yet"
            )
            if problem is None or work.attempt >= ATTEMPTS_MAX:
                await self._leave(work)
            else:
                await self._follow_later(work, problem)

    async def _look(self, payment: Payment, kind: str) -> str | None:
        known = knowing(self._gateway.told(kind))
        if payment.state in known:
            return None
        if await self._operations.under_way.over(payment.payment_id):
            # Most often its own capture: the bank tells of it while it answers, and what it answered is written by now.
            async with self._database.writer(single=True) as tx:
                payment = await queries.payment_by_id(tx, payment.payment_id) or payment
            if payment.state in known:
                return None
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
