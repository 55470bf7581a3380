"""Mails that cannot leave are named with their reason, and are gone from the list once they left."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from local.buyer import Buyer, Wish
from local.stuck import late_work, render
from local.system import System
from tests.books import rows

pytestmark = pytest.mark.system

SOON_SECONDS = 60.0
MAILS = "notifications.send_email"


async def late_mails(system: System, wanted: bool) -> list[dict[str, Any]]:
    """The mails whose last try failed, as soon as there are any; or none, as soon as none waits, also none that is being tried."""
    deadline = time.monotonic() + SOON_SECONDS
    while True:
        late, silent = await asyncio.to_thread(late_work, system.addresses, 0)
        mails = [each for each in late if each["queue"] == MAILS and (not wanted or each["state"] == "failing")]
        if bool(mails) == wanted or time.monotonic() > deadline:
            assert silent == []
            return mails
        await asyncio.sleep(0.2)


async def test_a_mail_that_cannot_leave_is_listed_with_why_and_how_to_go_on_until_it_left(system: System) -> None:
    assert await late_mails(system, wanted=False) == []
    wish = Wish(places=1, prefer_general=True)
    events = await Buyer(system.addresses, wish).find_events()
    system.kill("mailbox", restart=False)
    buying = asyncio.create_task(Buyer(system.addresses, wish).buy(events))
    try:
        [mail] = await late_mails(system, wanted=True)
    finally:
        await asyncio.to_thread(system.restart, "mailbox")
    purchase = await buying
    # This buyer cannot look for the mail while the mailbox is away, and stops there; the order is confirmed all the same.
    assert "wait for confirmation" in str(purchase.failure)
    assert mail["about"] == purchase.order_url.rsplit("/", 1)[1]
    assert mail["trace_id"] == purchase.trace_id
    assert "mail server" in mail["why"]
    assert f"{MAILS} of {mail['about']}" in render([mail], [], datetime.now(UTC))
    assert await late_mails(system, wanted=False) == []
    [sent] = await rows(system, "notifications", "SELECT state FROM delivery WHERE order_id = $1", UUID(mail["about"]))
    assert sent["state"] == "sent"
