"""Tickets that are issued while their event moves: what is published of them is new, or their holder is notified of the change."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.db import Database
from chassis.testing import Harness
from services.tickets.event_changes import EventChanges
from services.tickets.events import TicketsChanged, TicketsIssued
from services.tickets.inbox import OrderConfirmed
from services.tickets.settings import TicketsSettings
from services.tickets.tests.contract.box_office import MOVED, tickets_of
from services.tickets.tests.integration.orders import a_line, order_confirmed

_PUBLISHED = text("SELECT data FROM outbox WHERE subject = :subject ORDER BY seq")
_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")


@pytest.fixture
async def database(settings: TicketsSettings) -> AsyncIterator[Database]:
    made = Database(settings)
    yield made
    await made.close()


async def published(database: Database, subject: str) -> list[tuple[str, str]]:
    """Of which orders facts tell which place."""
    async with database.reader() as reads:
        rows = (await reads.execute(_PUBLISHED, {"subject": subject}, name="tests.published")).scalars()
    return [(row["order_id"], row["venue_name"]) for row in rows]


async def somebody_waits(database: Database) -> bool:
    async with database.reader() as reads:
        return bool((await reads.execute(_WAITS, name="tests.waits")).scalar_one())


async def test_holders_whose_tickets_are_issued_while_the_change_is_kept_are_notified_of_it(
    harness: Harness, settings: TicketsSettings, database: Database
) -> None:
    tickets, event_changes = tickets_of(settings, database), EventChanges(database)
    order = OrderConfirmed.model_validate(order_confirmed(a_line(), event_id=str(uuid4()))).as_order()

    async def move_and_tell() -> None:
        async with database.writer() as tx:
            await event_changes.keep_change(tx, replace(MOVED, event_id=order.event_id))
        while await event_changes.notify_holders():
            pass

    async with database.writer() as tx:
        await tickets.issue(tx, order)
        moving = asyncio.create_task(move_and_tell())

        async def is_done_or_waits() -> bool:
            return moving.done() or await somebody_waits(database)

        await harness.eventually(is_done_or_waits)
    await moving
    assert await published(database, TicketsIssued.subject) == [(str(order.order_id), order.venue_name)]
    assert await published(database, TicketsChanged.subject) == [(str(order.order_id), MOVED.venue_name)]


async def test_tickets_that_are_issued_while_a_change_is_kept_are_published_as_they_are_then(
    harness: Harness, settings: TicketsSettings, database: Database
) -> None:
    tickets, event_changes = tickets_of(settings, database), EventChanges(database)
    order = OrderConfirmed.model_validate(order_confirmed(a_line(), event_id=str(uuid4()))).as_order()

    async def issue() -> None:
        async with database.writer() as tx:
            await tickets.issue(tx, order)

    async with database.writer() as tx:
        await event_changes.keep_change(tx, replace(MOVED, event_id=order.event_id))
        issuing = asyncio.create_task(issue())

        async def is_done_or_waits() -> bool:
            return issuing.done() or await somebody_waits(database)

        await harness.eventually(is_done_or_waits)
    await issuing
    assert await published(database, TicketsIssued.subject) == [(str(order.order_id), MOVED.venue_name)]


async def test_orders_of_one_event_do_not_wait_for_each_other(settings: TicketsSettings, database: Database) -> None:
    tickets, event_id = tickets_of(settings, database), str(uuid4())
    one, other = (
        OrderConfirmed.model_validate(order_confirmed(a_line(), event_id=event_id)).as_order() for _ in range(2)
    )
    async with database.writer() as first:
        await tickets.issue(first, one)
        async with asyncio.timeout(10), database.writer() as second:
            await tickets.issue(second, other)
