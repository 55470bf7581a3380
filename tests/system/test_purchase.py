"""One ticket, end to end: the page, the bank, the e-mail; one trace over all services; the last places; the books."""

import asyncio
from typing import Any

import httpx
import pytest

from chassis.tokens import ServiceTokens, load_signing_key
from local.buyer import Buyer, Purchase, Wish
from local.system import System
from local.topology import SERVICES
from tests.books import read_books, rows
from tracing.assertions import assert_complete, assert_path, spans_of, traced, wait_for_trace
from tracing.model import Trace
from tracing.reader import TraceReader

pytestmark = pytest.mark.system

SPAN_OF_THE_LAST_STEP = ("notifications", "smtp send*")


async def buy(system: System, wish: Wish) -> Purchase:
    buyer = Buyer(system.addresses, wish)
    return await Buyer(system.addresses, wish).buy(await buyer.find_events())


@pytest.mark.parametrize("general", [False, True], ids=["seats", "general admission"])
async def test_a_buyer_gets_signed_tickets_by_mail_in_one_trace_of_all_services(system: System, general: bool) -> None:
    purchase = await buy(system, Wish(places=2, prefer_general=general))
    assert purchase.failure is None
    assert len(purchase.ticket_codes) == 2
    async with (
        httpx.AsyncClient(base_url=system.addresses["tickets"], headers=of_a_service(system)) as gate,
        traced(gate, system.addresses["traces"]) as at_the_door,
    ):
        for code in purchase.ticket_codes:
            assert (await gate.post("/verify", json={"code": code})).json()["valid"] is True
    reader = TraceReader(system.addresses["traces"])
    trace = await wait_for_trace(
        reader, purchase.trace_id, has=[SPAN_OF_THE_LAST_STEP], quiet_seconds=1.0, timeout_seconds=30
    )
    assert {span.service for span in trace.spans} == set(SERVICES)
    assert_complete(trace)
    assert_path(trace, "web POST /events/*/orders", "orders POST /orders", "catalog GET /events/*")
    assert_path(trace, "web POST /events/*/orders", "orders POST /orders", "inventory PUT /events/*/holds/*")
    assert_path(trace, "web POST /orders/*/pay", "orders POST /orders/*/checkout", "payments PUT /payments/*")
    assert_path(
        trace,
        "orders create events.orders.order_confirmed.v1",
        "tickets process events.orders.order_confirmed.v1",
        "tickets create events.tickets.tickets_issued.v1",
        "notifications process events.tickets.tickets_issued.v1",
        "notifications smtp send*",
    )
    checked = await at_the_door.wait(has=[("tickets", "POST /verify")])
    checked.assert_path("tickets POST /verify", "tickets tickets.by_id")
    checked.assert_explained()
    assert_path(trace, "orders orders.capture_payment", "payments POST /payments/*/capture")
    assert_the_bank_is_asked_for_what_the_order_costs(trace)
    assert_path(trace, "orders orders.commit_places", "inventory POST /events/*/holds/*/commit")


def of_a_service(system: System) -> dict[str, str]:
    """Headers of somebody whose trace tickets goes on with: a stranger's is only linked."""
    key = load_signing_key(system.layout.keys / "web.pem")
    return {"Authorization": f"Bearer {ServiceTokens('web', key).to('tickets')}"}


def assert_the_bank_is_asked_for_what_the_order_costs(trace: Trace) -> None:
    """On the trace alone: the order's total, what payments was asked for, and what it asked of the bank."""
    (ordered,) = spans_of(trace, "orders", "orders.capture_payment")
    (opened,) = spans_of(trace, "payments", "payments.open_payment")
    (asked,) = spans_of(trace, "payments", "PUT /v1/payments/{key}")
    total = (ordered.attributes["onsale.total_minor"], ordered.attributes["onsale.currency"])
    for each in (opened, asked):
        assert (each.attributes["onsale.amount_minor"], each.attributes["onsale.currency"]) == total


async def test_twenty_buyers_for_the_ten_last_seats_get_ten_and_ten_are_refused_at_once(system: System) -> None:
    finder = Buyer(system.addresses, Wish(places=1))
    event_url = (await finder.find_events())[0]
    event_id = event_url.rsplit("/", 1)[1]
    free = await rows(
        system,
        "inventory",
        "SELECT seat_id FROM seat WHERE event_id = $1::text::uuid AND state = 'free' ORDER BY 1",
        event_id,
    )
    wanted = [row["seat_id"] for row in free[:10]]
    before = await read_books(system)
    assert before.wrong == []
    # Two for each seat: each knows what it wants, and asks at the same moment.
    wishes = [Wish(event=event_id, seats=(seat,)) for seat in wanted for _ in range(2)]
    purchases = await asyncio.gather(*(Buyer(system.addresses, wish).buy([event_url]) for wish in wishes))
    confirmed = [purchase for purchase in purchases if purchase.failure is None]
    refused = [purchase for purchase in purchases if purchase.failure is not None]
    assert (len(confirmed), len(refused)) == (10, 10), [str(purchase.failure) for purchase in refused]
    assert all(purchase.failure and purchase.failure.step == "hold places" for purchase in refused)
    sold = await sold_seats(system, event_id)
    assert set(wanted) <= sold
    after = await read_books(system)
    assert after.wrong == []
    assert after.confirmed - before.confirmed == 10


async def test_the_last_places_of_a_class_are_sold_exactly(system: System) -> None:
    finder = Buyer(system.addresses, Wish(places=2, prefer_general=True))
    event_url = (await finder.find_events())[0]
    event_id = event_url.rsplit("/", 1)[1]
    before = await read_books(system)
    known = "SELECT class_id, capacity FROM ticket_class WHERE event_id = $1::text::uuid"
    capacities = await rows(system, "inventory", known, event_id)
    shrink = "UPDATE ticket_class SET capacity = held + sold + 10 WHERE event_id = $1::text::uuid AND kind = 'general' RETURNING class_id"
    classes = await rows(system, "inventory", shrink, event_id)
    places = 10 * len(classes)
    wish = Wish(event=event_id, places=2, prefer_general=True)
    try:
        purchases = await asyncio.gather(*(Buyer(system.addresses, wish).buy([event_url]) for _ in range(20)))
    finally:
        # Other tests of this system order places of the first event that has such a class.
        for row in capacities:
            give_back = "UPDATE ticket_class SET capacity = $2 WHERE class_id = $1 RETURNING 1 AS n"
            assert await rows(system, "inventory", give_back, row["class_id"], row["capacity"])
    confirmed = [purchase for purchase in purchases if purchase.failure is None]
    # Everybody's form takes the first class: five of the twenty get its ten places.
    assert len(confirmed) == 5, [str(purchase.failure) for purchase in purchases]
    after = await read_books(system)
    assert after.wrong == []
    assert after.confirmed - before.confirmed == 5 <= places


async def sold_seats(system: System, event_id: str) -> set[Any]:
    query = "SELECT seat_id FROM seat WHERE event_id = $1::text::uuid AND state = 'sold'"
    return {row["seat_id"] for row in await rows(system, "inventory", query, event_id)}
