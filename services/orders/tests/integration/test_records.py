"""What support reads of an order was written by what it tells of."""

from typing import Any, get_args

from services.orders.domain import Happening
from services.orders.operations import OrdersWhat
from services.orders.tests.integration.conftest import Desk

CONFIRMED = "events.orders.order_confirmed.v1"
AUTHORISED = "events.payments.payment_authorised.v1"


async def records(desk: Desk, order_id: str, caller: str = "web") -> list[dict[str, Any]]:
    headers = desk.harness.headers(caller, to="orders")
    answer = await desk.app.http.get(f"/records/orders/{order_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def whats(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["what"] for entry in entries]


def test_support_can_read_of_each_happening() -> None:
    assert set(get_args(OrdersWhat)) == {*Happening, "placed", "waited"}


async def test_a_purchase_is_recorded_step_by_step_each_in_its_span(desk: Desk) -> None:
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    desk.neighbours.authorise(payment_id)
    fact = {"payment_id": payment_id, "order_id": order["order_id"]}
    await desk.harness.tell(AUTHORISED, fact, aggregate_id=payment_id)
    await desk.in_state(order["order_id"], "confirmed")

    async def all_entries() -> list[dict[str, Any]] | None:
        entries = await records(desk, order["order_id"])
        return entries if any(entry["facts"]["ended_at"] for entry in entries) else None

    entries = await desk.harness.eventually(all_entries)
    assert whats(entries) == [
        "placed",
        "hold_granted",
        "payment_begun",
        "fact_heard",
        "payment_authorised",
        "places_committed",
        "captured",
        "fact_told",
    ]
    assert [entry["facts"]["state"] for entry in entries if entry["facts"]["state"]] == [
        "placing",
        "held",
        "paying",
        "authorised",
        "committed",
        "confirmed",
    ]
    granted, published_fact = entries[1]["facts"], entries[-1]["facts"]
    assert (granted["places"], granted["amount_minor"], granted["currency"]) == (2, 5000, "EUR")
    assert (published_fact["kind"], published_fact["attempt"]) == (CONFIRMED, 1)
    assert all(entry["trace_id"] and entry["span_id"] for entry in entries)
    assert entries[-1]["trace_id"] == entries[0]["trace_id"]


async def test_that_a_step_waited_is_recorded_with_its_reason_until_when_and_how_often(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    desk.neighbours.refuse("commit", 503, "inventory_busy", times=6)
    await desk.act(order["order_id"], "refresh")
    await desk.in_state(order["order_id"], "confirmed")
    waits = [entry for entry in await records(desk, order["order_id"]) if entry["what"] == "waited"]
    assert [wait["facts"]["attempt"] for wait in waits] == list(range(1, len(waits) + 1))
    assert waits
    for wait in waits:
        assert (wait["facts"]["state"], wait["facts"]["reason"]) == ("authorised", "inventory_unavailable")
        assert wait["facts"]["until"] > wait["at"]


async def test_a_cancelled_order_says_why(desk: Desk) -> None:
    order = (await desk.place()).json()
    await desk.act(order["order_id"], "cancel")
    await desk.in_state(order["order_id"], "cancelled")  # by the request, or by the worker if that took it up first
    entries = await records(desk, order["order_id"])
    assert whats(entries)[:4] == ["placed", "hold_granted", "buyer_cancelled", "given_back"]
    assert [entry["facts"]["reason"] for entry in entries[2:4]] == ["buyer", "buyer"]


async def test_an_order_is_found_by_its_number_and_by_its_trace(desk: Desk) -> None:
    order = (await desk.place()).json()
    headers = desk.harness.headers("web", to="orders")
    for asked in ({"number": order["number"].lower()}, {"trace_id": order["trace_id"]}):
        (head,) = (await desk.app.http.get("/records/orders", params=asked, headers=headers)).json()["items"]
        assert (head["order_id"], head["state"], head["places"]) == (order["order_id"], "held", 2)
    assert (await desk.app.http.get("/records/orders", headers=headers)).json() == {"items": []}
    nonsense = await desk.app.http.get("/records/orders", params={"number": "\0"}, headers=headers)
    assert nonsense.status_code == 422


async def test_only_web_reads_records(desk: Desk) -> None:
    order = (await desk.place()).json()
    for path in (f"/records/orders/{order['order_id']}", f"/records/orders?number={order['number']}"):
        refused = await desk.app.http.get(path, headers=desk.harness.headers("payments", to="orders"))
        assert (refused.status_code, (await desk.app.http.get(path)).status_code) == (403, 401)
