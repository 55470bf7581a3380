"""Rows of the chassis that nobody needs any more are forgotten, a few at a time; all others stay."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis import forgetting
from chassis.db import Database
from chassis.forgetting import Forgetting
from chassis.statements import text
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, create_app
from chassis.tests.test_running import SAMPLE

# For each table: rows as old as they are numbered, in days, and how old they may become.
ROWS = {
    "outbox": """
        INSERT INTO outbox (event_id, subject, aggregate_id, data, created_at, published_at)
        SELECT gen_random_uuid(), 'events.sample.thing_made.v1', CAST(n AS text), '{}', past, past FROM given ORDER BY n DESC
    """,
    "inbox": """
        INSERT INTO inbox (consumer, event_id, subject, aggregate_id, received_at)
        SELECT 'sample', CAST(lpad(to_hex(1000000 - n), 8, '0') || '-0000-7000-8000-000000000000' AS uuid), 'events.x.y.v1',
            CAST(n AS text), past FROM given
    """,
    "idempotency_key": """
        INSERT INTO idempotency_key (principal, route, key, request_hash, status, response, leased_until, created_at)
        SELECT 'somebody', 'POST /things', CAST(n AS text), '\\x00', 201, '{}', past, past FROM given
    """,
    "work_attempt": """
        INSERT INTO work_attempt (queue, key, fence, attempt, begun_at) SELECT 'chores', CAST(n AS text), 1, 1, past FROM given
    """,
}
KEY = {"outbox": "aggregate_id", "inbox": "aggregate_id", "idempotency_key": "key", "work_attempt": "key"}
KEPT_DAYS = {"outbox": 90, "inbox": 90, "idempotency_key": 7, "work_attempt": 90}
OLD_UNSENT = """
    INSERT INTO outbox (event_id, subject, aggregate_id, data, created_at)
    VALUES (gen_random_uuid(), 'events.sample.thing_made.v1', 'unsent', '{}', now() - interval '1 year')
"""


@pytest.fixture
def settings(harness: Harness) -> SampleSettings:
    return harness.settings(SampleSettings, migrations=SAMPLE / "migrations")


@pytest.fixture
async def database(settings: SampleSettings) -> AsyncIterator[Database]:
    made = Database(settings)
    yield made
    await made.close()


def forgets(database: Database, settings: SampleSettings) -> Forgetting:
    return Forgetting(database, settings, lambda: ["sample"])


async def write(database: Database, table: str, *days: int) -> None:
    given = "WITH given AS (SELECT n, now() - n * interval '1 day' AS past FROM unnest(CAST(:days AS int[])) AS n)"
    async with database.writer() as tx:
        # The statement of INSERT takes a WITH before its SELECT.
        await tx.execute(
            text(ROWS[table].replace("SELECT", f"{given} SELECT", 1)), {"days": list(days)}, name="test.write"
        )


async def left(database: Database, table: str) -> list[str]:
    async with database.reader() as reads:
        rows = await reads.execute(text(f"SELECT {KEY[table]} AS key FROM {table}"), name="test.left")  # noqa: S608
        return sorted(row["key"] for row in rows)


@pytest.mark.parametrize("table", sorted(ROWS))
async def test_what_is_old_is_forgotten_and_nothing_else(
    database: Database, settings: SampleSettings, table: str
) -> None:
    limit = KEPT_DAYS[table]
    await write(database, table, 1, limit - 1, limit + 1, 1_000)
    assert await forgets(database, settings)() == 2
    assert await left(database, table) == sorted(["1", str(limit - 1)])


async def test_a_fact_that_did_not_leave_yet_stays_however_old(database: Database, settings: SampleSettings) -> None:
    async with database.writer() as tx:
        await tx.execute(text(OLD_UNSENT), name="test.write")
    await write(database, "outbox", 1_000)
    await forgets(database, settings)()
    assert await left(database, "outbox") == ["unsent"]


async def test_what_another_consumer_has_heard_stays(database: Database, settings: SampleSettings) -> None:
    await write(database, "inbox", 1_000)
    assert await Forgetting(database, settings, lambda: ["another"])() == 0
    assert await left(database, "inbox") == ["1000"]


@pytest.mark.parametrize("table", sorted(ROWS))
async def test_much_is_forgotten_in_small_pieces(
    database: Database, settings: SampleSettings, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 10)
    await write(database, table, *range(1_000, 1_025))
    step = forgets(database, settings)
    assert [await step() for _ in range(4)] == [10, 10, 5, 0]


@pytest.mark.parametrize("table", sorted(ROWS))
async def test_processes_that_forget_at_once_pass_each_other_by(
    database: Database, settings: SampleSettings, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 10)
    await write(database, table, *range(1_000, 1_040))
    async with database.writer() as tx:
        held = f"SELECT FROM {table} WHERE {KEY[table]} = '1039' FOR UPDATE"
        await tx.execute(text(held), name="test.hold")
        steps = [forgets(database, settings)() for _ in range(3)]
        # Nobody waits for the row that somebody holds.
        assert sum(await asyncio.wait_for(asyncio.gather(*steps), 10)) > 0
        while await asyncio.wait_for(forgets(database, settings)(), 10):
            pass
    assert await left(database, table) == ["1039"]


async def test_a_service_forgets_by_itself(harness: Harness, database: Database, settings: SampleSettings) -> None:
    for table in ROWS:
        await write(database, table, 1, 1_000)

    async def is_forgotten() -> bool:
        return [await left(database, table) for table in ROWS] == [["1"]] * len(ROWS)

    async with harness.running(create_app, settings):
        await harness.eventually(is_forgotten)


def test_nothing_is_forgotten_that_is_needed() -> None:
    fields = SampleSettings.model_fields
    least = {
        name: next(each.ge for each in fields[name].metadata if hasattr(each, "ge"))
        for name in fields
        if "keep_" in name
    }
    # As long as a stream that was lost is told again; and a day for who sends a request again.
    assert least == {"keep_facts_days": 30, "keep_keys_hours": 24, "keep_attempts_days": 1}
