"""Notifications answers what its consumers ask, as their pacts say."""

from typing import Any
from uuid import UUID, uuid4

from chassis.db import Database
from chassis.testing import Harness, first_delivery
from contracts.consumer import TRACEPARENT, with_tracing
from contracts.provider import provided, verify_answers
from services.notifications import queries
from services.notifications.app import create_app
from services.notifications.domain import Template
from services.notifications.service import Notifications
from services.notifications.settings import NotificationsSettings
from tracing.spans import continued

NOWHERE = "http://127.0.0.1:9"
# Nobody sends by itself while a state is looked at.
NEVER_SECONDS = 3600


async def test_notifications_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(
        NotificationsSettings, accounts_url=NOWHERE, tickets_url=NOWHERE, poll_seconds=NEVER_SECONDS
    )
    database = Database(settings)
    notifications = Notifications(settings.mail_from, lambda: None)
    with_tracing()

    async def a_mail_that_was_sent_at_the_second_attempt(given: dict[str, Any]) -> None:
        about: dict[str, Any] = {
            "order_id": UUID(given["order_id"]),
            "order_number": "K7Q2-9MXA",
            "person_id": uuid4(),
            "content": {},
        }
        with continued("a state", TRACEPARENT):
            async with database.writer(single=True) as tx:
                await notifications.note(tx, Template.TICKETS, **about, received=first_delivery("notifications"))
        for is_last in (False, True):
            async with database.writer() as tx:
                (delivery,) = await queries.claim_due(tx, limit=1, lease_seconds=60)
            async with database.writer() as tx:
                if is_last:
                    await queries.mark_sent(tx, delivery)
                else:
                    await queries.try_later(tx, delivery, "tickets did not answer", 0)

    async with provided(create_app, settings, harness) as running:
        await verify_answers(
            "notifications",
            running.url,
            callers=["web"],
            states={"a mail that was sent at the second attempt": a_mail_that_was_sent_at_the_second_attempt},
        )
    await database.close()
