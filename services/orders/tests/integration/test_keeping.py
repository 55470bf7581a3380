"""Buyers who need more time, and guests who sign in while they hold places."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.orders.tests.integration.conftest import Desk


def until(order: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(order["hold_expires_at"])


async def test_one_press_gives_the_full_time_again_and_inventory_knows(desk: Desk) -> None:
    order = (await desk.place()).json()
    desk.neighbours.expire_in(seconds=30)
    await desk.rows("UPDATE purchase_order SET hold_expires_at = now() + interval '30 seconds'")
    longer = await desk.act(order["order_id"], "prolong")
    assert longer.status_code == 200
    assert until(longer.json()) - until(order) < timedelta(seconds=30)
    assert until(longer.json()) - datetime.fromisoformat(order["created_at"]) > timedelta(minutes=9)
    assert desk.neighbours.expiries() == [longer.json()["hold_expires_at"]]
    (row,) = await desk.rows("SELECT due_at > now() + interval '9 minutes' AS waits FROM purchase_order")
    assert row["waits"]


async def test_a_hold_is_never_prolonged_beyond_its_longest(desk: Desk) -> None:
    order = (await desk.place()).json()
    longest = datetime.fromisoformat(order["hold_longest_until"])
    assert longest - datetime.fromisoformat(order["created_at"]) == timedelta(minutes=30)
    await desk.rows("UPDATE purchase_order SET created_at = created_at - interval '25 minutes'")
    prolonged = (await desk.act(order["order_id"], "prolong")).json()
    # Five minutes are left of the thirty, and the hold lasts for ten: nothing is taken away.
    assert until(prolonged) >= until(order) - timedelta(seconds=1)
    assert datetime.fromisoformat(prolonged["hold_longest_until"]) < longest


async def test_what_is_over_cannot_be_prolonged(desk: Desk) -> None:
    order = (await desk.place()).json()
    await desk.act(order["order_id"], "cancel")
    refused = await desk.act(order["order_id"], "prolong")
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_payable")
    desk.neighbours.refuse("prolong", 410, "hold_gone")
    another = (await desk.place()).json()
    gone = await desk.act(another["order_id"], "prolong")
    assert (gone.status_code, gone.json()["code"]) == (410, "hold_expired")
    assert (await desk.act(str(uuid4()), "prolong")).status_code == 404


async def test_without_inventory_the_hold_stays_as_it_was(desk: Desk) -> None:
    order = (await desk.place()).json()
    desk.neighbours.refuse("prolong", 503, "inventory_busy", times=3)
    assert (await desk.act(order["order_id"], "prolong")).status_code == 503
    assert (await desk.order(order["order_id"]))["hold_expires_at"] == order["hold_expires_at"]


async def test_a_guests_open_orders_go_along_to_the_account_and_the_others_stay(desk: Desk) -> None:
    guest, account = desk.buyer, uuid4()
    cancelled = (await desk.place()).json()
    await desk.act(cancelled["order_id"], "cancel")
    held = (await desk.place()).json()
    answer = await take_along(desk, guest=guest, account=account)
    assert answer.json() == {"order_ids": [held["order_id"]]}
    assert (await desk.act(held["order_id"], "prolong")).status_code == 404
    desk.buyer = account
    assert (await desk.order(held["order_id"]))["state"] == "held"
    assert (await desk.act(cancelled["order_id"], "prolong")).status_code == 404
    assert (await take_along(desk, guest=guest, account=account)).json() == {"order_ids": []}


async def test_only_a_guests_orders_go_along_and_only_to_an_account(desk: Desk) -> None:
    somebody, another = uuid4(), uuid4()
    stolen = await take_along(desk, guest=somebody, account=another, is_guest=False)
    assert (stolen.status_code, stolen.json()["code"]) == (403, "not_a_guest")
    to_guest = desk.headers() | {"Onsale-Person": desk.harness.person_token(another, guest=True)}
    token = desk.harness.person_token(somebody, guest=True)
    refused = await desk.app.http.post("/orders/take-along", headers=to_guest | {"Onsale-Guest": token})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_guest")
    nobody = await desk.app.http.post("/orders/take-along", headers=desk.headers() | {"Onsale-Guest": "x.y.z"})
    assert nobody.status_code == 401


async def test_a_person_asks_for_what_they_hold_of_one_event(desk: Desk) -> None:
    held = (await desk.place()).json()
    cancelled = (await desk.place()).json()
    await desk.act(cancelled["order_id"], "cancel")
    event_id = str(desk.neighbours.event_id)
    found = await desk.app.http.get("/orders", params={"open_for": event_id}, headers=desk.headers())
    assert [order["order_id"] for order in found.json()["items"]] == [held["order_id"]]
    other = await desk.app.http.get("/orders", params={"open_for": str(uuid4())}, headers=desk.headers())
    assert other.json()["items"] == []


async def take_along(desk: Desk, *, guest: UUID, account: UUID, is_guest: bool = True) -> Any:
    token = desk.harness.person_token(guest, guest=is_guest)
    return await desk.app.http.post("/orders/take-along", headers=desk.headers(account) | {"Onsale-Guest": token})


async def test_a_pass_for_an_order_shows_it_and_opens_nothing_else(desk: Desk) -> None:
    first, second = (await desk.place()).json(), (await desk.place()).json()
    token = desk.harness.person_token(desk.buyer, guest=True, order=first["order_id"])
    headers = desk.headers() | {"Onsale-Person": token}
    shown = await desk.app.http.get(f"/orders/{first['order_id']}", headers=headers)
    assert (shown.status_code, shown.json()["number"]) == (200, first["number"])
    for method, path in [
        ("GET", f"/orders/{second['order_id']}"),
        ("GET", "/orders"),
        ("POST", f"/orders/{first['order_id']}/cancel"),
        ("POST", f"/orders/{first['order_id']}/prolong"),
    ]:
        refused = await desk.app.http.request(method, path, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated"), (method, path)


async def test_an_order_that_goes_along_while_the_money_is_taken_is_confirmed_for_the_account(desk: Desk) -> None:
    guest, account = desk.buyer, uuid4()
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    desk.neighbours.authorise(payment_id)
    take_it = asyncio.Event()
    desk.neighbours.slow_captures.append(take_it)
    back = asyncio.create_task(desk.act(order["order_id"], "refresh"))
    assert await desk.harness.eventually(lambda: _is_asked(desk))
    assert (await take_along(desk, guest=guest, account=account)).json() == {"order_ids": [order["order_id"]]}
    take_it.set()
    await back
    desk.buyer = account
    await desk.in_state(order["order_id"], "confirmed")
    fact = await desk.harness.heard("events.orders.order_confirmed.v1")
    assert fact["data"]["person_id"] == str(account)
    assert set(desk.neighbours.captures) == {payment_id}


async def _is_asked(desk: Desk) -> bool:
    return not desk.neighbours.slow_captures


async def test_two_persons_with_one_request_come_together_with_both_their_orders(desk: Desk) -> None:
    key, guest, account = str(uuid4()), desk.buyer, uuid4()
    first = (await desk.place(key=key, quantity=1)).json()
    desk.buyer = account
    second = (await desk.place(key=key, quantity=1)).json()
    assert (await take_along(desk, guest=guest, account=account)).json() == {"order_ids": [first["order_id"]]}
    again = await desk.place(key=key, quantity=1)
    assert again.json()["order_id"] == second["order_id"]
    assert (await desk.order(first["order_id"]))["state"] == "held"


async def test_a_pass_for_one_order_takes_nothing_along(desk: Desk) -> None:
    order = (await desk.place()).json()
    token = desk.harness.person_token(desk.buyer, guest=True, order=order["order_id"])
    headers = desk.headers(uuid4()) | {"Onsale-Guest": token}
    refused = await desk.app.http.post("/orders/take-along", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_guest")


async def test_the_last_second_before_the_longest_hold_changes_nothing(desk: Desk) -> None:
    order = (await desk.place()).json()
    await desk.rows("UPDATE purchase_order SET created_at = now() - interval '29 minutes 59.5 seconds'")
    unchanged = await desk.act(order["order_id"], "prolong")
    assert (unchanged.status_code, unchanged.json()["hold_expires_at"]) == (200, order["hold_expires_at"])
