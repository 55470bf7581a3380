"""Buys a ticket in a running system, and asserts that its trace tells the whole story."""

import asyncio
import time
from collections.abc import Callable, Mapping

from local.buyer import Buyer, Purchase, PurchaseFailed, Wish
from local.errors import StartError
from local.topology import SERVICES
from tracing.assertions import assert_complete, assert_path, wait_for_trace
from tracing.reader import TraceReader

TRACE_SECONDS = 60.0
# What was loaded a moment ago is published within seconds (`outbox_poll_seconds`): until then nothing of it can be held.
OPEN_SECONDS = 60.0
PAUSE_SECONDS = 1.0
BEFORE_THE_SALE = {"find an event", "open the event", "hold places"}


async def verified(addresses: Mapping[str, str]) -> str:
    """What was bought and seen, in a sentence. `addresses`: shop, bank, mailbox, traces, and public_shop and public_bank.

    Raises StartError when nothing could be bought, AssertionError (with the waterfall) when the trace lacks something.
    """
    reached = {addresses["public_shop"]: addresses["shop"], addresses["public_bank"]: addresses["bank"]}
    known = {"web": addresses["public_shop"], "mailbox": addresses["mailbox"]}
    wish = Wish(places=2, prefer_general=True)
    purchase = await once_on_sale(lambda: Buyer(known, wish, reached))
    if purchase.failure is not None:
        raise StartError(f"No ticket could be bought. {purchase.failure} (trace {purchase.trace_id or 'unknown'})")
    with TraceReader(addresses["traces"]) as reader:
        last = ("notifications", "smtp send*")
        trace = await wait_for_trace(
            reader, purchase.trace_id, has=[last], quiet_seconds=2.0, timeout_seconds=TRACE_SECONDS
        )
    missing = set(SERVICES) - {span.service for span in trace.spans}
    if missing:
        raise StartError(f"The trace {purchase.trace_id} has no span of {', '.join(sorted(missing))}.")
    assert_complete(trace)
    assert_path(trace, "web POST /events/*/orders", "orders POST /orders", "inventory PUT /events/*/holds/*")
    assert_path(trace, "orders orders.capture_payment", "payments POST /payments/*/capture")
    assert_path(trace, "tickets process events.orders.order_confirmed.v1", "notifications smtp send*")
    hosts = {str(span.resource.get("host.name")) for span in trace.spans}
    return (
        f"Order {purchase.order_number}: {len(purchase.ticket_codes)} tickets in {purchase.total_ms:.0f} ms, "
        f"and one trace of {len(trace.spans)} spans over {len(hosts)} host{'s' * (len(hosts) > 1)}: {purchase.trace_id}"
    )


async def once_on_sale(
    new_buyer: Callable[[], Buyer], seconds: float = OPEN_SECONDS, pause_seconds: float = PAUSE_SECONDS
) -> Purchase:
    """What came of a purchase in a shop whose first event may just be opening: like people, a buyer comes back until it is.

    Each time is another buyer's. What goes wrong after places were held is not tried again.
    """
    deadline = time.monotonic() + seconds
    while True:
        purchase = await _tried(new_buyer)
        failure = purchase.failure
        if failure is None or failure.step not in BEFORE_THE_SALE or time.monotonic() > deadline:
            return purchase
        await asyncio.sleep(pause_seconds)


async def _tried(new_buyer: Callable[[], Buyer]) -> Purchase:
    finder = new_buyer()
    try:
        events = await finder.find_events()
    except PurchaseFailed as error:
        finder.purchase.failure = error
        return finder.purchase
    return await new_buyer().buy(events)
