"""A due mail is leased to one process at a time, and only that one may finish it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.db import Database, Transaction
from chassis.ids import uuid7
from chassis.migrated import migrations_of
from chassis.migrations import migrate
from chassis.testing import first_delivery
from services.notifications import queries
from services.notifications.domain import Delivery, Template, name_of
from services.notifications.tests.integration.conftest import World


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    """The service's database with three due mails."""
    made = Database(world.settings)
    async with made.writer() as tx:
        for number in range(3):
            row = {
                "delivery_id": uuid7(),
                "order_id": uuid7(),
                "order_number": str(number),
                "person_id": uuid7(),
                "template": Template.TICKETS.value,
                "content": {},
                "message_id": f"<{number}@onsale.example>",
                "traceparent": None,
            }
            assert await queries.insert_delivery(tx, row, first_delivery("notifications")) == (True, True)
    yield made
    await made.close()


async def lease(tx: Transaction, limit: int, seconds: float = 60) -> list[Delivery]:
    return await queries.claim_due(tx, limit=limit, lease_seconds=seconds)


async def test_what_another_process_is_taking_is_passed_over_without_waiting(database: Database) -> None:
    async with database.writer() as one, database.writer() as other:
        first = await lease(one, limit=2)
        async with asyncio.timeout(20):
            rest = await lease(other, limit=3)
    assert (len(first), len(rest)) == (2, 1)
    assert {each.delivery_id for each in first}.isdisjoint(each.delivery_id for each in rest)


async def test_a_leased_mail_is_not_due_until_its_lease_has_ended(database: Database) -> None:
    async with database.writer() as tx:
        assert len(await lease(tx, limit=3)) == 3
    async with database.writer() as tx:
        assert await lease(tx, limit=3) == []


async def test_who_slept_through_the_lease_cannot_overwrite_the_successor(database: Database, world: World) -> None:
    async with database.writer() as tx:
        [sleeper] = await lease(tx, limit=1, seconds=-1)
    async with database.writer() as tx:
        successor = next(each for each in await lease(tx, limit=3) if each.delivery_id == sleeper.delivery_id)
    assert (sleeper.attempt, successor.attempt) == (1, 2)
    async with database.writer() as tx:
        assert not await queries.try_later(tx, sleeper, "too late", 0)
        assert not await queries.mark_failed(tx, sleeper, "too late")
        assert await queries.mark_sent(tx, successor)
        assert not await queries.mark_sent(tx, successor)
    [sent] = await world.deliveries("sent")
    assert (sent["delivery_id"], sent["last_problem"]) == (successor.delivery_id, None)


async def test_news_of_an_event_wait_where_the_version_before_does_not_look(database: Database, world: World) -> None:
    async with database.writer() as tx:
        row = {
            "delivery_id": uuid7(),
            "order_id": uuid7(),
            "order_number": "4",
            "person_id": uuid7(),
            "template": name_of(Template.NEW_DATE, 7),
            "content": {},
            "message_id": "<4@onsale.example>",
            "traceparent": None,
        }
        assert await queries.insert_delivery(tx, row, first_delivery("notifications")) == (True, True)
    # All that it leases; it cannot read the name of such a row, and would then send nothing at all.
    before = await world.rows("SELECT template FROM delivery WHERE state = 'waiting' AND next_attempt_at <= now()")
    assert {each["template"] for each in before} == {"tickets"}
    async with database.writer() as tx:
        [news] = [each for each in await lease(tx, limit=4) if each.template is Template.NEW_DATE]
        assert await queries.try_later(tx, news, "the server is busy", 0)
    assert [each["template"] for each in await world.deliveries("waiting_news")] == ["new_date/7"]
    [tried] = await world.rows("SELECT outcome, problem, again_at FROM work_attempt")
    assert (tried["outcome"], tried["problem"], tried["again_at"] is None) == ("put_off", "the server is busy", False)
    async with database.writer() as tx:
        [again] = [each for each in await lease(tx, limit=4) if each.template is Template.NEW_DATE]
        assert await queries.mark_sent(tx, again)


async def test_news_that_waited_already_are_moved_out_of_the_way_of_the_version_before(
    database: Database, world: World
) -> None:
    await world.rows("UPDATE delivery SET template = 'new_date/7' WHERE order_number = '1'")
    await world.rows("UPDATE alembic_version SET version_num = '0003'")
    url = world.settings.database_url.get_secret_value()
    await asyncio.to_thread(migrate, migrations_of("notifications"), url)
    assert [each["order_number"] for each in await world.deliveries("waiting_news")] == ["1"]
    assert len(await world.deliveries("waiting")) == 2
