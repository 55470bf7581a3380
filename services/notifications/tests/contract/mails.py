"""Notifications as facts find it: its inbox and its database, without the sender."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from chassis.db import Database
from chassis.facts import CloudEvent
from chassis.testing import Harness
from contracts.consumer import deliver
from services.notifications.app import create_app
from services.notifications.settings import NotificationsSettings

NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Mails:
    """The service, and what it means to send."""

    database: Database
    inbox: Any

    async def after(self, event: CloudEvent) -> list[dict[str, Any]]:
        """The mails that are due once a fact was heard."""
        await deliver(self.inbox, self.database, event)
        async with self.database.reader() as reads:
            rows = await reads.execute(text("SELECT * FROM delivery"), name="test")
            return [dict(row) for row in rows.mappings()]


@asynccontextmanager
async def open_mails(harness: Harness) -> AsyncIterator[Mails]:
    """Nothing is sent: the worker does not run."""
    settings = harness.settings(NotificationsSettings, accounts_url=NOWHERE, tickets_url=NOWHERE)
    database = Database(settings)
    yield Mails(database, create_app(settings).state.service.inboxes[0])
    await database.close()
