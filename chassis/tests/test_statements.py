"""Statements on their way to the database, and the connections that carry them."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import Column, MetaData, String, Table, bindparam, select, text

from chassis.connections import Connections, PoolTimeout
from chassis.db import Database
from chassis.errors import StoreUnavailable
from chassis.statements import prepared
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings
from chassis.tests.test_service import MIGRATIONS


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    found = Database(harness.settings(SampleSettings, migrations=MIGRATIONS, database_pool_size=1))
    yield found
    await found.close()


@pytest.mark.parametrize(
    ("sql", "gives_rows"),
    [
        ("SELECT 1", True),
        ("(SELECT 1) UNION (SELECT 2)", True),
        ("UPDATE chore SET tries = (SELECT 1)", False),
        ("UPDATE chore SET tries = 1 RETURNING tries", True),
        ("INSERT INTO chore SELECT 1", False),
        ("WITH one AS (UPDATE chore SET tries = 1 RETURNING *) SELECT * FROM one", True),
        ("WITH one AS (SELECT 1 AS tries) UPDATE chore SET tries = one.tries FROM one", False),
        ("WITH one AS (SELECT 1 AS tries) DELETE FROM chore USING one RETURNING 'SELECT'", True),
        ("DELETE FROM chore WHERE name = 'RETURNING' -- SELECT", False),
        ("SET LOCAL synchronous_commit = off", False),
    ],
)
def test_a_statement_gives_rows_by_its_own_verb(sql: str, gives_rows: bool) -> None:
    assert prepared(text(sql), {}).returns_rows is gives_rows


def test_a_name_that_stands_twice_is_one_parameter() -> None:
    found = prepared(text("SELECT :b, :a, :b"), {})
    assert found.sql == "SELECT $1, $2, $1"
    assert found.arguments({"a": 1, "b": 2}) == [2, 1]


def test_an_expression_takes_its_values_and_those_that_are_given() -> None:
    table = Table("event", MetaData(), Column("title", String), Column("city", String))
    statement = select(table.c.title).where(table.c.city == "Bern", table.c.title == bindparam("title"))
    found = prepared(statement, {"title": "Hamlet"})
    assert sorted(found.arguments({"title": "Hamlet"})) == ["Bern", "Hamlet"]
    assert prepared(statement, {"title": "Othello"}) is found


async def test_rows_are_read_by_name_and_counted(database: Database) -> None:
    query = text("SELECT CAST(:one AS integer) AS one, CAST(:document AS jsonb) AS document")
    async with database.writer() as tx:
        [row] = await tx.execute(query, {"one": 1, "document": '{"a": [1]}'}, name="tests.rows")
        assert (row.one, row["document"], dict(row)) == (1, {"a": [1]}, {"one": 1, "document": {"a": [1]}})
        with pytest.raises(AttributeError, match="two"):
            _ = row.two
        await tx.execute(text("CREATE TEMPORARY TABLE chore (tries integer) ON COMMIT DROP"), name="tests.make")
        several = [{"tries": number} for number in range(3)]
        await tx.execute(text("INSERT INTO chore VALUES (:tries)"), several, name="tests.insert")
        changed = await tx.execute(text("UPDATE chore SET tries = 5 WHERE tries > 0"), name="tests.update")
        assert changed.rowcount == 2


async def test_more_than_the_one_row_that_was_expected_is_an_error(database: Database) -> None:
    async with database.reader() as reads:
        found = await reads.execute(text("SELECT * FROM generate_series(1, 2)"), name="tests.two")
        with pytest.raises(ValueError, match="2 came"):
            found.one_or_none()
        none = await reads.execute(text("SELECT 1 WHERE false"), name="tests.none")
        with pytest.raises(ValueError, match="none came"):
            none.one()


async def test_whoever_was_cut_off_leaves_no_connection_behind_that_is_half_used(database: Database) -> None:
    """Neither a transaction that is still open, nor an answer that is still to come."""

    async def sleep() -> None:
        async with database.writer() as tx:
            await tx.execute(text("CREATE TABLE left_behind (id integer)"), name="tests.make")
            await tx.execute(text("SELECT pg_sleep(20)"), name="tests.sleep")

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.writer() as tx:  # of its only connection
        found = await tx.execute(text("SELECT to_regclass('left_behind')"), name="tests.look")
        assert found.scalar_one() is None


async def test_a_refusal_of_the_database_ends_the_transaction_and_not_the_connection(database: Database) -> None:
    pid = text("SELECT pg_backend_pid()")
    async with database.reader() as reads:
        before = (await reads.execute(pid, name="tests.pid")).scalar_one()
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with database.writer() as tx:
            await tx.execute(text("SELECT 1 / 0"), name="tests.divide")
    async with database.reader() as reads:
        assert (await reads.execute(pid, name="tests.pid")).scalar_one() == before


async def test_a_connection_that_the_server_ended_is_not_used_again(database: Database, harness: Harness) -> None:
    async with database.reader() as reads:
        pid = (await reads.execute(text("SELECT pg_backend_pid()"), name="tests.pid")).scalar_one()
    other = Database(harness.settings(SampleSettings, migrations=MIGRATIONS))
    async with other.reader() as reads:
        await reads.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid}, name="tests.end")
    await other.close()
    for _ in range(100):  # at the latest when it was found to be closed
        try:
            async with database.reader() as reads:
                assert (await reads.execute(text("SELECT 1"), name="tests.again")).scalar_one() == 1
            break
        except StoreUnavailable:
            continue
    else:
        raise AssertionError("The connection that was ended is used again and again.")


async def test_a_table_that_changed_is_read_anew_the_next_time(database: Database) -> None:
    """A migration runs beside a service that has prepared its statements."""
    async with database.writer() as tx:
        await tx.execute(text("CREATE TABLE grown (one integer)"), name="tests.make")
    query = text("SELECT * FROM grown")
    async with database.reader() as reads:
        await reads.execute(query, name="tests.read")
    async with database.writer() as tx:
        await tx.execute(text("ALTER TABLE grown ADD COLUMN two integer"), name="tests.grow")
        await tx.execute(text("INSERT INTO grown VALUES (1, 2)"), name="tests.fill")
    async with database.reader() as reads:
        assert [dict(row) for row in await reads.execute(query, name="tests.read")] == [{"one": 1, "two": 2}]


async def test_who_waits_too_long_for_a_connection_is_told_so(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, database_pool_size=1, database_wait_seconds=2.0)
    database = Database(settings)
    async with database.reader(), asyncio.timeout(20):
        with pytest.raises(StoreUnavailable) as told:
            async with database.reader():
                pass
        assert isinstance(told.value.__cause__, PoolTimeout)
    async with database.reader() as reads:
        assert (await reads.execute(text("SELECT 1"), name="tests.again")).scalar_one() == 1
    await database.close()


async def test_connections_that_nobody_has_needed_for_long_are_closed(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS)
    url, named = settings.database_url.get_secret_value(), {"application_name": "unused"}
    kept = Connections(url, 3, server_settings=named)
    given_up = Connections(url, 3, server_settings=named, unused_seconds=0.0)

    for connections in (kept, given_up):
        for each in [await connections.take() for _ in range(3)]:
            connections.give_back(each, is_sound=True)
    assert (kept.idle, given_up.idle) == (3, 1)

    left = await given_up.take()
    known = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'unused'"

    async def are_closed() -> bool:
        return bool(await left.fetchval(known) == 4)

    await harness.eventually(are_closed)
    assert len([await given_up.take() for _ in range(2)]) == 2  # as many as before are there for who needs them
    await kept.close()
    await given_up.close()
