"""Takes a hint from the bank: checked, and kept once."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable

from pydantic import ConfigDict, Field, ValidationError

from chassis.db import Database
from chassis.models import Keepable
from services.payments import gateway_queries
from services.payments.domain import WebhookForged, WebhookInvalid, knowing
from services.payments.gateway import Gateway
from services.payments.service.follow_webhooks import following
from services.payments.service.under_way import UnderWay
from tracing.spans import current_traceparent

TOLERANCE_SECONDS = 300

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


class TakeWebhook:
    """A hint is not believed: it only says which payment the bank is to be asked about, if it says anything new."""

    def __init__(self, database: Database, gateway: Gateway, under_way: UnderWay, *, secret: str) -> None:
        self._database = database
        self._gateway = gateway
        self._under_way = under_way
        self._secret = secret

    async def __call__(self, body: bytes, signature: str, wake: Callable[[], None]) -> None:
        """Keeps a hint; one that came before changes nothing. Raises WebhookForged, WebhookInvalid."""
        check_signature(self._secret, body, signature, time.time())
        try:
            hint = Hint.model_validate_json(body)
        except ValidationError as error:
            raise WebhookInvalid from error
        # Most often the bank tells of what it is being asked: a moment later that is written down, and the hint says nothing new.
        await self._under_way.over(hint.gateway_payment_id)
        async with self._database.writer(single=True) as tx:
            taken = await gateway_queries.insert_webhook(
                tx,
                webhook_id=hint.webhook_id,
                kind=hint.type,
                gateway_payment_id=hint.gateway_payment_id,
                knowing=knowing(self._gateway.told(hint.type)),
            )
        if taken is None:
            return
        payment, is_known = taken
        if is_known:
            with following(hint.webhook_id, payment, current_traceparent()):
                pass  # the trace of the payment tells that the bank's word came
        else:
            wake()
