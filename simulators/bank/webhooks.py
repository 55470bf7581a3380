"""Tells the merchant what happened: signed, from a queue in the books, with a bounded number of tries."""

import asyncio
import hashlib
import hmac
import logging
import time

import httpx

from simulators.bank.ledger import DueWebhook, Ledger

MAX_ATTEMPTS = 8
BATCH = 16
LONGEST_PAUSE_SECONDS = 60.0

log = logging.getLogger("bank.webhooks")


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of `Bank-Signature`: HMAC-SHA256 over `<unix time>.<raw body>`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class WebhookSender:
    """Sends what is due. An answer to a payer or merchant never waits for it: they only call `wake`."""

    def __init__(self, ledger: Ledger, http: httpx.AsyncClient, *, url: str, secret: str, retry_seconds: float) -> None:
        self._ledger = ledger
        self._http = http
        self._url = url
        self._secret = secret
        self._retry_seconds = retry_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something may be due now."""
        self._woken.set()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            self._woken.clear()
            due = self._ledger.due_webhooks(BATCH)
            if due:
                await asyncio.gather(*(self._send(webhook) for webhook in due))
                continue
            pause = self._ledger.seconds_to_next_webhook()
            try:
                # Not wait_for: in Python 3.11 it can swallow a cancellation that comes together with a wake-up.
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _send(self, webhook: DueWebhook) -> None:
        headers = {
            "Content-Type": "application/json",
            "Bank-Signature": signature(self._secret, webhook.body, int(time.time())),
        }
        try:
            response = await self._http.post(self._url, content=webhook.body, headers=headers)
            problem = None if response.is_success else f"answered {response.status_code}"
        except httpx.HTTPError as error:
            problem = f"did not answer ({type(error).__name__})"
        if problem is None:
            self._ledger.webhook_sent(webhook.delivery_id)
            return
        tries = webhook.attempts + 1
        pause = min(self._retry_seconds * 2**webhook.attempts, LONGEST_PAUSE_SECONDS) if tries < MAX_ATTEMPTS else None
        self._ledger.webhook_failed(webhook.delivery_id, pause)
        log.warning(
            "The merchant at %s %s: try %d of %d, %s.",
            self._url,
            problem,
            tries,
            MAX_ATTEMPTS,
            "given up" if pause is None else f"again in {pause:g} s",
        )
