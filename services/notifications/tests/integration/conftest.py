"""`notifications` with its neighbours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import asyncpg
import pytest

from chassis.testing import Harness
from services.notifications.settings import NotificationsSettings
from services.notifications.tests.integration.neighbours import (
    MailServer,
    Neighbours,
    a_pdf,
    order_cancelled,
    tickets_changed,
    tickets_issued,
)

TICKETS_CHANGED = "events.tickets.tickets_changed.v1"
TICKETS_ISSUED = "events.tickets.tickets_issued.v1"
ORDER_CANCELLED = "events.orders.order_cancelled.v1"
ADDRESS = "zoe.secret@example.org"


@dataclass
class World:
    """The service's settings, its neighbours, and what a test does with them."""

    harness: Harness
    settings: NotificationsSettings
    neighbours: Neighbours
    mail: MailServer
    address: str = ADDRESS

    async def issue(self, *, slowly: bool = False, **changes: Any) -> dict[str, Any]:
        """Tells that tickets were issued to a known buyer; `slowly`: whose PDF is not printed yet."""
        fact = tickets_issued(**changes)
        self.know(fact)
        if slowly:
            self.neighbours.unprinted[fact["order_id"]] = asyncio.Event()
        await self.harness.tell(TICKETS_ISSUED, fact, aggregate_id=fact["order_id"])
        return fact

    async def change(self, **changes: Any) -> dict[str, Any]:
        """Tells that the event of a known buyer's tickets is not as it was."""
        fact = tickets_changed(**changes)
        self.know(fact)
        await self.harness.tell(TICKETS_CHANGED, fact, aggregate_id=fact["order_id"])
        return fact

    async def cancel(self, **changes: Any) -> dict[str, Any]:
        """Tells that an order of a known buyer was cancelled."""
        fact = order_cancelled(**changes)
        self.know(fact)
        await self.harness.tell(ORDER_CANCELLED, fact, aggregate_id=fact["order_id"])
        return fact

    def know(self, fact: dict[str, Any]) -> None:
        """Lets the neighbours know the buyer and the tickets of a fact."""
        contact = {"person_id": fact["person_id"], "name": "Zoë Müller", "email": self.address}
        self.neighbours.contacts[fact["person_id"]] = contact
        self.neighbours.pdfs[fact["order_id"]] = a_pdf()

    async def deliveries(self, state: str | None = None) -> list[asyncpg.Record]:
        """The rows of the delivery log."""
        rows = await self.rows("SELECT * FROM delivery ORDER BY created_at")
        return [row for row in rows if state is None or row["state"] == state]

    async def rows(self, query: str) -> list[asyncpg.Record]:
        """What a query finds."""
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()

    async def everything_stored(self) -> str:
        """All rows of all tables, as text."""
        dump = BytesIO()
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        for table in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
            await connection.copy_from_table(table["tablename"], output=dump)
        await connection.close()
        return dump.getvalue().decode()

    async def until(self, state: str, count: int = 1) -> list[asyncpg.Record]:
        """Waits until so many deliveries are in the state."""

        async def reached() -> list[asyncpg.Record]:
            found = await self.deliveries(state)
            return found if len(found) >= count else []

        rows: list[asyncpg.Record] = await self.harness.eventually(reached)
        return rows


@pytest.fixture
async def world(harness: Harness) -> AsyncIterator[World]:
    """Neighbours that answer, a mail server that listens; the service itself is started by the test."""
    neighbours, mail = Neighbours(), MailServer()
    async with AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(harness.serving(neighbours.accounts()))
        tickets = await stack.enter_async_context(harness.serving(neighbours.tickets()))
        await mail.start()
        stack.push_async_callback(mail.stop)
        settings = harness.settings(
            NotificationsSettings,
            accounts_url=accounts,
            tickets_url=tickets,
            shop_url="https://shop.example",
            smtp_port=mail.port,
            poll_seconds=0.05,
            attempt_seconds=5,
            lease_seconds=6,
            retry_delays_seconds=(0.05,) * 50,
            # All buyers of these tests have one address.
            mails_per_address=100,
        )
        yield World(harness, settings, neighbours, mail)
