"""A transaction of one statement: its facts are written by the statement itself, or it is refused before it changes anything."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.db import Database
from chassis.outbox import insert_with
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, ThingMade
from chassis.tests.test_running import SAMPLE

CHANGE = text(f"""
    WITH changed AS (UPDATE chore SET done = true WHERE chore_id = :chore_id AND NOT done RETURNING chore_id),
        told AS ({insert_with("changed")})
    SELECT chore_id FROM changed
""")  # noqa: S608  # constants


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    """A database with one chore."""
    made = Database(harness.settings(SampleSettings, migrations=SAMPLE / "migrations"))
    async with made.writer() as tx:
        await tx.execute(text("CREATE TABLE chore (chore_id integer, done boolean)"), name="test.create")
        await tx.execute(text("INSERT INTO chore VALUES (1, false)"), name="test.insert")
    yield made
    await made.close()


async def test_a_fact_is_written_with_the_change_and_not_without_it(database: Database) -> None:
    for is_first in (True, False):
        database.facts_written.clear()
        async with database.writer(single=True) as tx:
            await tx.publish(ThingMade(thing_id=uuid4(), name="a chore"))
            found = await tx.execute(CHANGE, {"chore_id": 1} | tx.facts_to_write(), name="test.change")
        assert bool(found.all()) is is_first
        assert database.facts_written.is_set()
        assert await facts(database) == 1


async def test_facts_that_the_statement_does_not_write_are_refused_before_it_runs(database: Database) -> None:
    async with database.writer(single=True) as tx:
        await tx.publish(ThingMade(thing_id=uuid4(), name="a chore"))
        with pytest.raises(RuntimeError, match="would be lost"):
            await tx.execute(text("UPDATE chore SET done = true"), name="test.change")
    async with database.writer(single=True) as tx:
        await tx.execute(text("SELECT 1"), name="test.read")
        with pytest.raises(RuntimeError, match="with the change"):
            await tx.publish(ThingMade(thing_id=uuid4(), name="a chore"))
    assert await facts(database) == 0
    assert await count(database, "SELECT count(*) FROM chore WHERE done") == 0


async def test_in_a_longer_transaction_a_statement_may_write_the_facts_too(database: Database) -> None:
    async with database.writer() as tx:
        await tx.publish(ThingMade(thing_id=uuid4(), name="a chore"))
        await tx.execute(CHANGE, {"chore_id": 1} | tx.facts_to_write(), name="test.change")
        await tx.publish(ThingMade(thing_id=uuid4(), name="another"))
    assert await facts(database) == 2


async def facts(database: Database) -> int:
    return await count(database, "SELECT count(*) FROM outbox")


async def count(database: Database, query: str) -> int:
    async with database.reader() as reads:
        return int((await reads.execute(text(query), name="test.count")).scalar_one())
