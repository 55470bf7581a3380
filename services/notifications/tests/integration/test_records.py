"""What support reads of a mail was written by what it tells of, and names nobody."""

from typing import Any

from chassis.testing import RunningApp
from services.notifications.app import create_app
from services.notifications.tests.integration.conftest import ADDRESS, World


async def records(world: World, app: RunningApp, order_id: str) -> list[dict[str, Any]]:
    headers = world.harness.headers("web", to="notifications")
    answer = await app.http.get(f"/records/orders/{order_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert ADDRESS not in answer.text
    assert "Zoë" not in answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def test_a_mail_is_recorded_with_every_try(world: World) -> None:
    world.mail.refuse_mail = "451 try again later"
    async with world.harness.running(create_app, world.settings) as app:
        fact = await world.issue()

        async def put_off() -> bool:
            return "mail_put_off" in {entry["what"] for entry in await records(world, app, fact["order_id"])}

        await world.harness.eventually(put_off)
        world.mail.refuse_mail = None
        await world.until("sent")
        entries = await records(world, app, fact["order_id"])
    tries = [entry for entry in entries if entry["what"].startswith("mail_")][1:]
    assert [entry["what"] for entry in entries][:2] == ["fact_heard", "mail_noted"]
    assert [entry["what"] for entry in tries] == ["mail_put_off"] * (len(tries) - 1) + ["mail_sent"]
    assert [entry["facts"]["attempt"] for entry in tries] == list(range(1, len(tries) + 1))
    assert tries[0]["facts"]["until"] > tries[0]["at"]
    assert "451" in tries[0]["facts"]["reason"]
    assert {entry["facts"]["kind"] for entry in entries[1:]} == {"tickets"}
    assert all(entry["trace_id"] and entry["span_id"] for entry in entries)


async def test_a_mail_that_is_given_up_says_why(world: World) -> None:
    world.mail.refuse_recipient = "550 no such user"
    async with world.harness.running(create_app, world.settings) as app:
        fact = await world.issue()
        await world.until("failed")
        *_, last = await records(world, app, fact["order_id"])
        refused = await app.http.get(
            f"/records/orders/{fact['order_id']}", headers=world.harness.headers("orders", to="notifications")
        )
    assert (last["what"], last["facts"]["attempt"]) == ("mail_given_up", 1)
    assert last["facts"]["reason"]
    assert refused.status_code == 403
