"""Whoever holds tickets of an event that is not as it was gets a mail: one per order and version, and the PDF where it is new."""

from typing import Any

import pytest

from services.notifications.app import create_app
from services.notifications.tests.integration.conftest import TICKETS_CHANGED, World


async def test_a_new_date_is_mailed_with_the_tickets_printed_anew(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        fact = await world.change()
        [delivery] = await world.until("sent")
    [message] = world.mail.messages
    assert message["Subject"] == "New date: Żółta łódź"
    assert message["Message-ID"] == delivery["message_id"] == f"<new_date.2.{fact['order_id']}@onsale.example>"
    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]


@pytest.mark.parametrize("state", ["cancelled", "postponed", "moved_online"])
async def test_an_event_that_nobody_can_go_to_is_mailed_without_tickets(world: World, state: str) -> None:
    async with world.harness.running(create_app, world.settings):
        await world.change(state=state, changes=["state"])
        await world.until("sent")
    [message] = world.mail.messages
    assert list(message.iter_attachments()) == []
    assert [request.url.path.rpartition("/")[2] for request in world.neighbours.requests] == ["contact"]


async def test_each_version_is_mailed_once_however_often_it_is_published(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        fact: dict[str, Any] = await world.change()
        for version in (2, 3, 3):
            versioned = fact | {"version": version}
            await world.harness.tell(TICKETS_CHANGED, versioned, aggregate_id=fact["order_id"])
        await world.until("sent", 2)

        async def all_heard() -> bool:
            return len(await world.rows("SELECT FROM inbox")) == 4

        await world.harness.eventually(all_heard)
        assert len(await world.deliveries()) == 2
    assert len(world.mail.messages) == 2


async def test_the_same_order_has_its_tickets_and_its_news(world: World) -> None:
    async with world.harness.running(create_app, world.settings) as app:
        fact = await world.issue()
        await world.change(order_id=fact["order_id"], person_id=fact["person_id"], state="cancelled", changes=["state"])
        await world.until("sent", 2)
        headers = world.harness.headers("web", to="notifications")
        entries = (await app.http.get(f"/records/orders/{fact['order_id']}", headers=headers)).json()["entries"]
    assert {entry["facts"]["kind"] for entry in entries if entry["what"] == "mail_sent"} == {"tickets", "cancelled"}
