"""Hints from the bank: checked, kept once, and followed by a worker that asks the bank itself."""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import replace

from pydantic import ConfigDict, Field, ValidationError

from chassis.db import Database
from chassis.logs import log
from chassis.models import Keepable
from chassis.work import Work, claim, finish
from services.payments import queries
from services.payments.domain import GatewayUnavailable, Payment, WebhookForged, WebhookInvalid
from services.payments.service.settling import SILENT, Settler
from tracing.spans import continued, current_traceparent, link_to, note

TOLERANCE_SECONDS = 300
# A hint is leased for as long as the bank may take to be asked, and somewhat longer.
LEASED_PAUSES = 4
# After these the payment is asked about anyway, when nothing is heard of it for long.
ATTEMPTS_MAX = 8

_LOG = log(__name__)
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


class Hint(Keepable):
    """What is read of a webhook's body."""

    model_config = ConfigDict(extra="ignore")

    webhook_id: str = Field(min_length=1, max_length=200)
    type: str = Field(max_length=100)
    gateway_payment_id: str = Field(min_length=1, max_length=200)


def check_signature(secret: str, body: bytes, signature: str, now: float) -> None:
    """Raises WebhookForged unless the signature fits the raw body and was made within the tolerance of `now` (Unix time)."""
    match = _SIGNATURE.fullmatch(signature)
    if match is None or abs(now - int(match[1])) > TOLERANCE_SECONDS:
        raise WebhookForged
    expected = hmac.new(secret.encode(), f"{match[1]}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, match[2]):
        raise WebhookForged


class Webhooks:
    """Takes hints, and follows them."""

    def __init__(self, database: Database, settler: Settler, *, secret: str, ask_again_seconds: float) -> None:
        self._database = database
        self._settler = settler
        self._secret = secret
        self._ask_again_seconds = ask_again_seconds

    async def take(self, body: bytes, signature: str, wake: Callable[[], None]) -> None:
        """Keeps a hint; one that came before changes nothing. Raises WebhookForged, WebhookInvalid."""
        check_signature(self._secret, body, signature, time.time())
        try:
            hint = Hint.model_validate_json(body)
        except ValidationError as error:
            raise WebhookInvalid from error
        async with self._database.writer() as tx:
            is_new = await queries.insert_webhook(
                tx,
                webhook_id=hint.webhook_id,
                kind=hint.type,
                gateway_payment_id=hint.gateway_payment_id,
                traceparent=current_traceparent(),
            )
            if is_new:
                tx.after_commit(wake)

    async def follow(self) -> int:
        """Asks the gateway about the payments of hints; a bounded batch. How many hints were followed."""
        async with self._database.writer() as tx:
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
            await self._settler.see(payment)
        except GatewayUnavailable:
            return SILENT
        return None

    async def _follow_later(self, work: Work, problem: str) -> None:
        _LOG.warning("a webhook waits", webhook=str(work.key), attempts=work.attempt, problem=problem)
        async with self._database.writer() as tx:
            await queries.ask_again_later(tx, queries.HINTS, work, problem, self._ask_again_seconds)

    async def _leave(self, work: Work) -> None:
        async with self._database.writer() as tx:
            await finish(tx, queries.HINTS, work, "followed", "handled_at = now()")
