"""Confirmed orders whose tickets do not come are looked for and published again, until somebody answers."""

from typing import Any

import pytest

from chassis.testing import Harness
from services.orders.app import create_app
from services.orders.queries import PUBLICATIONS_MAX
from services.orders.service.publish_confirmations_again import PublishConfirmationsAgain
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.conftest import Desk
from services.orders.tests.integration.neighbours import Neighbours

CONFIRMED = "events.orders.order_confirmed.v1"
ISSUED = "events.tickets.tickets_issued.v1"


@pytest.fixture
def impatient(orders_settings: OrdersSettings) -> OrdersSettings:
    return orders_settings.model_copy(update={"tickets_within_seconds": 0.2})


async def test_an_order_without_tickets_is_published_again_until_they_are_issued(
    harness: Harness, impatient: OrdersSettings, neighbours: Neighbours
) -> None:
    async with harness.running(create_app, impatient) as app:
        desk = Desk(app, harness, neighbours)
        order = await confirmed(desk)
        first, again = await harness.heard(CONFIRMED), await harness.heard(CONFIRMED)
        assert first["id"] != again["id"]
        assert first["data"] == again["data"]
        assert again["traceparent"].split("-")[1] == order["trace_id"]
        await harness.tell(ISSUED, {"order_id": order["order_id"]}, aggregate_id=order["order_id"])
        await harness.eventually(lambda: awaits_nothing(desk))


async def test_an_order_is_published_again_a_bounded_number_of_times_and_then_somebody_has_to_look(
    harness: Harness, impatient: OrdersSettings, neighbours: Neighbours
) -> None:
    async with harness.running(create_app, impatient) as app:
        desk = Desk(app, harness, neighbours)
        order = await confirmed(desk)
        last_but_one = "UPDATE awaited_tickets SET tellings = :tellings, due_at = now() RETURNING tellings"
        await desk.rows(last_but_one, tellings=PUBLICATIONS_MAX - 1)
        for _ in range(2):
            await harness.heard(CONFIRMED)
        await harness.eventually(lambda: is_given_up(desk))
        (late,) = (await app.http.get("/work")).json()["late"]
        assert (late["queue"], late["about"], late["tries"]) == (
            "orders.tell_again",
            order["order_id"],
            PUBLICATIONS_MAX,
        )
        assert late["trace_id"] == order["trace_id"]
        assert "tickets" in late["go_on"]
        await desk.rows("UPDATE awaited_tickets SET due_at = now() - interval '1 day', leased_until = NULL")
        assert await PublishConfirmationsAgain(app.app.state.service._databases[0], 0.2)() == 0


async def test_an_order_whose_tickets_come_at_once_is_published_once(desk: Desk) -> None:
    order = await confirmed(desk)
    await desk.harness.heard(CONFIRMED)
    await desk.harness.tell(ISSUED, {"order_id": order["order_id"]}, aggregate_id=order["order_id"])
    await desk.harness.eventually(lambda: awaits_nothing(desk))
    assert len(await desk.rows("SELECT 1 FROM outbox WHERE subject = :subject", subject=CONFIRMED)) == 1


async def confirmed(desk: Desk) -> dict[str, Any]:
    order = await desk.paying()
    desk.neighbours.authorise(desk.payment_of(order))
    answer: dict[str, Any] = (await desk.act(order["order_id"], "refresh")).json()
    assert answer["state"] == "confirmed"
    return answer


async def is_given_up(desk: Desk) -> bool:
    return bool((await desk.rows("SELECT tellings FROM awaited_tickets"))[0]["tellings"] == PUBLICATIONS_MAX)


async def awaits_nothing(desk: Desk) -> bool:
    return not await desk.rows("SELECT 1 FROM awaited_tickets")
