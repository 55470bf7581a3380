"""Run in the toolbox's image, where the manifests let a buyer be: buys a ticket, and stops before and after the card is given.

Says `paying`, `paid` and, last, what came of it as JSON, a line each; goes on when a line comes in.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress

import httpx

from local.browser import Page
from local.buyer import Buyer, PurchaseFailed, Wish
from local.verifying import once_on_sale
from tracing.assertions import wait_for_trace
from tracing.reader import TraceReader

TRACE_SECONDS = 60.0


async def stop_at(place: str) -> None:
    """Says where we are, and waits for a line."""
    print(place, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


class Interrupted(Buyer):
    """Somebody to whom something happens while they pay. What the shop answers then does not matter: they come back later."""

    async def _give_card(self, bank: Page) -> Page:
        await stop_at("paying")
        with suppress(PurchaseFailed, httpx.HTTPError):
            await super()._give_card(bank)
        await stop_at("paid")
        return await self._wait_until_confirmed()


async def main() -> None:
    """Buys, and tells what the trace knows of it."""
    given = os.environ
    reached = {given["PUBLIC_SHOP_URL"]: given["SHOP_URL"], given["PUBLIC_BANK_URL"]: given["BANK_URL"]}
    known = {"web": given["PUBLIC_SHOP_URL"], "mailbox": given["MAILBOX_URL"]}
    wish = Wish(places=2, prefer_general=True)
    purchase = await once_on_sale(lambda: Interrupted(known, wish, reached))
    spans = []
    if purchase.failure is None:
        with TraceReader(given["TRACES_URL"]) as reader:
            has = [("notifications", "smtp send*")]
            trace = await wait_for_trace(
                reader, purchase.trace_id, has=has, quiet_seconds=2.0, timeout_seconds=TRACE_SECONDS
            )
        spans = [(span.service, span.resource.get("host.name"), span.name) for span in trace.spans]
    outcome = {
        "failure": str(purchase.failure or ""),
        "order_state": purchase.order_state,
        "tickets": len(purchase.ticket_codes),
        "spans": spans,
    }
    print(json.dumps(outcome), flush=True)


asyncio.run(main())
