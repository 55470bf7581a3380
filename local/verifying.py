"""Buys a ticket in a running system, and asserts that its trace tells the whole story."""

from collections.abc import Mapping

from local.buyer import Buyer, Wish
from local.errors import StartError
from local.topology import SERVICES
from tracing.assertions import assert_complete, assert_path, wait_for_trace
from tracing.reader import TraceReader

TRACE_SECONDS = 60.0


async def verified(addresses: Mapping[str, str]) -> str:
    """What was bought and seen, in a sentence. `addresses`: shop, bank, mailbox, traces, and public_shop and public_bank.

    Raises StartError when nothing could be bought, AssertionError (with the waterfall) when the trace lacks something.
    """
    reached = {addresses["public_shop"]: addresses["shop"], addresses["public_bank"]: addresses["bank"]}
    known = {"web": addresses["public_shop"], "mailbox": addresses["mailbox"]}
    wish = Wish(places=2, prefer_general=True)
    finder = Buyer(known, wish, reached)
    purchase = await Buyer(known, wish, reached).buy(await finder.find_events())
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
