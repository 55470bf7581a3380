"""How many mails an address gets: a bound that nobody who buys tickets meets, so that nobody's mailbox is filled by others.

Whoever holds places as a guest may write any address, and each free order sends a mail there. What is above the bound is not
lost: it waits until the window has a place again. Mails of orders that were paid for neither count nor wait: nobody fills a
mailbox with those, and nobody's free orders hold them back. The address itself is in no row: only its digest, keyed with this service's
own key, for as long as the window.
"""

import hashlib
import hmac
from datetime import datetime
from pathlib import Path

from chassis.db import Database
from services.notifications import queries
from services.notifications.domain import Delivery

_FORGET_BATCH = 1000


class AddressBound:
    """At most `most` mails of unpaid orders to one address in `window_seconds`."""

    def __init__(self, database: Database, key_file: Path, *, most: int, window_seconds: float) -> None:
        self._database = database
        self._key_file = key_file
        self._most = most
        self._window_seconds = window_seconds
        self._key: bytes | None = None

    async def free_at(self, delivery: Delivery, address: str) -> datetime | None:
        """None if this mail may go there now; else when one may."""
        async with self._database.writer(single=True) as tx:
            if await queries.is_of_paid_order(tx, delivery):
                return None
        async with self._database.writer() as tx:
            return await queries.use_address(
                tx, delivery, self._digest(address), most=self._most, window_seconds=self._window_seconds
            )

    async def forget(self) -> int:
        """Forgets a batch of what no window reaches any more. How much."""
        async with self._database.writer(single=True) as tx:
            return await queries.forget_addresses(tx, window_seconds=self._window_seconds, limit=_FORGET_BATCH)

    def _digest(self, address: str) -> bytes:
        if self._key is None:
            self._key = hashlib.sha256(b"urn:onsale:notifications:addresses" + self._key_file.read_bytes()).digest()
        return hmac.digest(self._key, mailbox_of_all(address).encode(), "sha256")


def mailbox_of_all(address: str) -> str:
    """One spelling of all that reach the same mailbox: in small letters, without what stands behind a `+`."""
    local, _, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"
