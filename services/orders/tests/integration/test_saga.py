"""What goes wrong on the way, and how an order ends all the same: confirmed, or cancelled with everything given back."""

from typing import Any

import pytest

from chassis.testing import Harness
from services.orders.app import create_app
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.conftest import Desk
from services.orders.tests.integration.neighbours import Neighbours

AUTHORISED = "events.payments.payment_authorised.v1"
HOLD_EXPIRED = "events.inventory.hold_expired.v1"
CANCELLED = "events.orders.order_cancelled.v1"


async def hold_of(desk: Desk, order: dict[str, Any]) -> str:
    rows = await desk.rows("SELECT hold_id FROM purchase_order WHERE order_id = :order_id", order_id=order["order_id"])
    return str(rows[0]["hold_id"])


async def test_an_unpaid_order_ends_with_its_hold(desk: Desk) -> None:
    order = (await desk.place()).json()
    await desk.harness.tell(HOLD_EXPIRED, {"hold_id": await hold_of(desk, order), "order_id": order["order_id"]})
    cancelled = await desk.in_state(order["order_id"], "cancelled")
    assert cancelled["reason"] == "expired"
    assert (await desk.checkout(order["order_id"])).json()["code"] == "hold_expired"


async def test_an_unpaid_order_ends_by_its_own_timer_if_the_news_never_comes(desk: Desk) -> None:
    order = (await desk.place()).json()
    await desk.rows("UPDATE purchase_order SET hold_expires_at = now() - interval '1 second', due_at = now()")
    assert (await desk.in_state(order["order_id"], "cancelled"))["reason"] == "expired"
    assert desk.neighbours.hold_states() == ["released"]


async def test_a_payment_that_came_in_at_the_last_moment_still_counts(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    await desk.rows("UPDATE purchase_order SET hold_expires_at = now() - interval '1 second'")
    await desk.harness.tell(HOLD_EXPIRED, {"hold_id": await hold_of(desk, order), "order_id": order["order_id"]})
    await desk.in_state(order["order_id"], "confirmed")


async def test_a_late_payment_for_places_that_are_gone_is_given_back_and_published(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    desk.neighbours.refuse("commit", 410, "hold_gone")
    ended = (await desk.act(order["order_id"], "refresh")).json()
    assert (ended["state"], ended["reason"]) == ("cancelled", "places_gone")
    assert desk.neighbours.payments[desk.payment_of(order)]["state"] == "voided"
    assert desk.neighbours.captures == []
    assert (await desk.harness.heard(CANCELLED))["data"]["paid"] is True


async def test_a_refused_capture_gives_the_sold_places_back(desk: Desk) -> None:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    desk.neighbours.refuse("capture", 409, "capture_refused")
    ended = (await desk.act(order["order_id"], "refresh")).json()
    assert (ended["state"], ended["reason"]) == ("cancelled", "payment_failed")
    assert desk.neighbours.hold_states() == ["released"]


@pytest.mark.parametrize("call", ["look_up", "commit", "capture"])
async def test_a_neighbour_that_is_down_is_asked_again_until_it_answers(desk: Desk, call: str) -> None:
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    desk.neighbours.authorise(payment_id)
    desk.neighbours.refuse(call, 503, "down", times=4)
    await desk.harness.tell(AUTHORISED, {"payment_id": payment_id, "order_id": order["order_id"]})
    await desk.act(order["order_id"], "refresh")
    await desk.in_state(order["order_id"], "confirmed")
    assert desk.neighbours.captures == [payment_id]


@pytest.mark.parametrize("call", ["void", "release"])
async def test_giving_back_is_tried_until_it_works(desk: Desk, call: str) -> None:
    order = await desk.paying()
    desk.neighbours.refuse(call, 503, "down", times=4)
    await desk.act(order["order_id"], "cancel")
    await desk.in_state(order["order_id"], "cancelled")
    assert desk.neighbours.hold_states() == ["released"]


async def test_a_hold_whose_answer_was_lost_is_given_back(desk: Desk) -> None:
    desk.neighbours.refuse("hold_answer", 503, "down", times=9)
    assert (await desk.place()).json()["code"] == "inventory_unavailable"
    await desk.rows("UPDATE purchase_order SET due_at = now()")
    await desk.harness.eventually(lambda: desk.neighbours.hold_states() == ["released"])


async def test_a_catalog_that_is_down_is_reported_and_nothing_is_left_behind(desk: Desk) -> None:
    desk.neighbours.refuse("catalog", 503, "down", times=9)
    refused = await desk.place()
    assert (refused.status_code, refused.json()["code"]) == (503, "catalog_unavailable")
    assert await desk.rows("SELECT 1 FROM purchase_order") == []


async def test_news_of_an_earlier_payment_attempt_do_not_count(desk: Desk) -> None:
    order = await desk.paying()
    stale = {"payment_id": "00000000-0000-4000-8000-000000000000", "order_id": order["order_id"]}
    await desk.harness.tell(AUTHORISED, stale)
    await desk.harness.tell("events.payments.payment_declined.v1", stale)
    await desk.harness.eventually(lambda: heard_both(desk))
    assert (await desk.order(order["order_id"]))["state"] == "paying"


async def heard_both(desk: Desk) -> bool:
    return len(await desk.rows("SELECT 1 FROM inbox")) == 2


async def test_two_processes_drive_one_order_once(
    desk: Desk, harness: Harness, orders_settings: OrdersSettings
) -> None:
    order = await desk.paying()
    payment_id = desk.payment_of(order)
    async with harness.running(create_app, orders_settings):
        desk.neighbours.authorise(payment_id)
        await harness.tell(AUTHORISED, {"payment_id": payment_id, "order_id": order["order_id"]})
        await desk.in_state(order["order_id"], "confirmed")
    assert desk.neighbours.captures == [payment_id]
    changes = await desk.rows("SELECT happening FROM order_change")
    assert len(changes) == 5


async def test_an_order_whose_worker_died_is_taken_over_after_its_lease(desk: Desk, neighbours: Neighbours) -> None:
    order = await desk.paying()
    neighbours.authorise(desk.payment_of(order))
    await desk.rows(
        "UPDATE purchase_order SET state = 'authorised', paid = true, leased_until = now() + interval '1 second', due_at = now()"
    )
    await desk.in_state(order["order_id"], "confirmed")
    assert len(neighbours.captures) == 1


async def test_a_payment_whose_time_is_over_is_shown_to_the_buyer(desk: Desk) -> None:
    order = (await desk.place()).json()
    desk.neighbours.refuse("begin", 409, "payment_refused", times=2)
    assert (await desk.checkout(order["order_id"])).json()["code"] == "hold_expired"


async def test_who_took_more_time_pays_after_a_first_click_that_never_reached_the_bank(desk: Desk) -> None:
    """Payments gave that payment up when its time was over; the hold was prolonged meanwhile."""
    order_id = (await desk.place()).json()["order_id"]
    desk.neighbours.refuse("begin", 503, "gateway_unavailable", times=20)
    assert (await desk.checkout(order_id)).status_code == 503
    desk.neighbours.refusals.clear()
    assert (await desk.act(order_id, "prolong")).status_code == 200
    desk.neighbours.refuse("begin", 409, "payment_refused")
    answer = await desk.checkout(order_id)
    assert (answer.status_code, answer.json()["state"]) == (200, "paying")
    assert len(desk.neighbours.payments) == 2


async def test_a_payment_that_is_given_up_before_its_page_was_known_makes_room_for_another(desk: Desk) -> None:
    order_id = (await desk.place()).json()["order_id"]
    desk.neighbours.refuse("begin", 503, "gateway_unavailable", times=20)
    assert (await desk.checkout(order_id)).status_code == 503
    desk.neighbours.refusals.clear()
    (given_up,) = desk.neighbours.payments
    fact = {"payment_id": given_up, "order_id": order_id, "reason": "expired"}
    await desk.harness.tell("events.payments.payment_declined.v1", fact)

    async def has_another_attempt() -> bool:
        return bool(await desk.rows("SELECT FROM purchase_order WHERE payment_attempt = 2 AND payment_id IS NULL"))

    await desk.harness.eventually(has_another_attempt)
    assert (await desk.checkout(order_id)).json()["state"] == "paying"
    assert len(desk.neighbours.payments) == 2


async def test_who_cancels_while_the_bank_authorises_learns_that_the_money_goes_back(desk: Desk) -> None:
    for is_authorised in (True, False):
        order = await desk.paying()
        if is_authorised:
            desk.neighbours.authorise(desk.payment_of(order))  # and orders does not know it yet
        await desk.act(order["order_id"], "cancel")
        await desk.in_state(order["order_id"], "cancelled")
        cancelled = (await desk.harness.heard(CANCELLED))["data"]
        assert (cancelled["order_id"], cancelled["reason"], cancelled["paid"]) == (
            order["order_id"],
            "buyer",
            is_authorised,
        )
