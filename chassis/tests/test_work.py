"""Remembered work is done by one at a time, tried again, given up in the end, and says why it waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from sqlalchemy import text

from chassis.db import Database, Transaction
from chassis.late import late_work, watch_of
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings
from chassis.tests.test_running import SAMPLE
from chassis.work import (
    ATTEMPTS_KEPT,
    Backoff,
    Queue,
    Work,
    claim,
    finish,
    give_up,
    let_go,
    make_due,
    put_off,
    take,
    wait,
)
from tracing.spans import current_trace_id, span, trace_id_of

CHORES = Queue(
    name="sample.do_chore",
    table="chore",
    key="chore_id",
    waits="done_at IS NULL AND NOT is_dead",
    dead="is_dead",
    lease_seconds=60,
    go_on="Do it by hand.",
)
CHORE = """
    CREATE TABLE chore (
        chore_id integer PRIMARY KEY, order_id text, done_at timestamptz, is_dead boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(), due_at timestamptz DEFAULT now(), leased_until timestamptz,
        fence integer NOT NULL DEFAULT 0, tries integer NOT NULL DEFAULT 0, problem text, traceparent text
    )
"""


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    """A database with three chores; number 2 is due first."""
    made = Database(harness.settings(SampleSettings, migrations=SAMPLE / "migrations"))
    async with made.writer() as tx:
        await run(tx, CHORE)
        await run(tx, "INSERT INTO chore (chore_id, due_at) VALUES (1, now()), (2, now() - interval '1 s'), (3, now())")
    yield made
    await made.close()


async def run(tx: Transaction, statement: str, **values: Any) -> list[dict[str, Any]]:
    result = await tx.execute(text(statement), values, name="test")
    return [dict(row) for row in result.mappings()]


async def claimed(database: Database, limit: int | None = None) -> list[Work]:
    async with database.writer() as tx:
        return await claim(tx, CHORES, limit)


async def attempts(database: Database) -> list[dict[str, Any]]:
    async with database.writer() as tx:
        return await run(tx, "SELECT * FROM work_attempt ORDER BY fence")


async def test_the_longest_due_comes_first_and_nobody_else_gets_it(database: Database) -> None:
    [first] = await claimed(database, 1)
    assert (first.key, first.fence, first.attempt) == (2, 1, 1)
    assert sorted(work.key for work in await claimed(database)) == [1, 3]
    assert await claimed(database) == []


async def test_what_another_process_is_taking_is_passed_over_without_waiting(database: Database) -> None:
    async with database.writer() as one, database.writer() as other, asyncio.timeout(20):
        assert len(await claim(one, CHORES, 2)) == 2
        assert len(await claim(other, CHORES, 3)) == 1


async def test_who_slept_through_the_lease_changes_nothing(database: Database) -> None:
    [sleeper] = await claimed(database, 1)
    async with database.writer() as tx:
        await run(tx, "UPDATE chore SET leased_until = now() - interval '1 s' WHERE chore_id = 2")
    successor = next(work for work in await claimed(database) if work.key == 2)
    async with database.writer() as tx:
        assert not await finish(tx, CHORES, sleeper, "done", "done_at = now()")
        assert not await put_off(tx, CHORES, sleeper, "too late", 0)
        assert not await give_up(tx, CHORES, sleeper, "too late", "is_dead = true")
        assert not await wait(tx, CHORES, sleeper, 0.0)
        assert await finish(tx, CHORES, successor, "done", "done_at = now()")
        assert not await finish(tx, CHORES, successor, "done", "done_at = now()")
    [ended] = await attempts(database)
    assert (ended["attempt"], ended["fence"], ended["outcome"]) == (2, 2, "done")


async def test_each_try_is_written_down_with_its_problem_its_span_and_its_next_time(database: Database) -> None:
    [work] = await claimed(database, 1)
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    with span("sample.try"):
        trace_id = current_trace_id()
        async with database.writer() as tx:
            assert await put_off(tx, CHORES, work, "the lift is broken", 30)
    [tried] = await attempts(database)
    assert (tried["queue"], tried["key"], tried["problem"]) == ("sample.do_chore", "2", "the lift is broken")
    assert tried["again_at"] > tried["ended_at"]
    assert trace_id_of(tried["traceparent"]) == trace_id is not None
    assert [each.key for each in await claimed(database)] == [1, 3]


async def test_taking_one_writes_down_that_its_try_begins_even_if_it_never_ends(database: Database) -> None:
    async with database.writer() as tx:
        taken = await take(tx, CHORES, 3)
        assert taken is not None
    async with database.writer() as tx:
        assert await take(tx, CHORES, 3) is None
    [begun] = await attempts(database)
    assert (begun["key"], begun["ended_at"], begun["outcome"]) == ("3", None, None)
    async with database.writer() as tx:
        assert await give_up(tx, CHORES, taken, "no broom", "is_dead = true")
    [ended] = await attempts(database)
    assert (ended["outcome"], ended["problem"], ended["again_at"]) == ("given_up", "no broom", None)
    assert ended["ended_at"] >= begun["begun_at"]


async def test_who_waits_for_a_person_has_not_tried(database: Database) -> None:
    [work] = await claimed(database, 1)
    async with database.writer() as tx:
        assert await wait(tx, CHORES, work, -1.0)
    [again] = await claimed(database, 1)
    assert (again.key, again.attempt) == (2, 1)
    async with database.writer() as tx:
        assert await let_go(tx, CHORES, again)
        await make_due(tx, CHORES, "chore_id = :chore_id", chore_id=2)
    assert next(each for each in await claimed(database) if each.key == 2).attempt == 1
    assert await attempts(database) == []


async def test_what_is_tried_for_weeks_keeps_its_first_tries_alone(database: Database) -> None:
    async with database.writer() as tx:
        await run(
            tx,
            "UPDATE chore SET tries = :kept - 1, done_at = CASE WHEN chore_id > 1 THEN now() END",
            kept=ATTEMPTS_KEPT,
        )
    for _ in range(3):
        [work] = await claimed(database)
        async with database.writer() as tx:
            assert await put_off(tx, CHORES, work, "no broom", 0)
    assert [tried["attempt"] for tried in await attempts(database)] == [ATTEMPTS_KEPT]


async def test_what_is_late_says_why_and_how_to_go_on(database: Database) -> None:
    assert await late_work({database: [CHORES]}) == []
    async with database.writer() as tx:
        await run(tx, "UPDATE chore SET created_at = now() - interval '1 h', order_id = 'G3D3' WHERE chore_id < 3")
        await run(tx, "UPDATE chore SET due_at = now() - interval '50 min' WHERE chore_id = 1")
        await run(tx, "UPDATE chore SET due_at = now() + interval '10 min' WHERE chore_id = 2")
    [untaken] = await late_work({database: [CHORES]})
    assert (untaken["queue"], untaken["key"], untaken["about"], untaken["state"]) == (
        "sample.do_chore",
        "1",
        "G3D3",
        "untaken",
    )
    assert untaken["why"].startswith("It is due, and no worker has taken it")
    [work] = await claimed(database, 1)
    assert work.key == 1
    assert (await late_work({database: [CHORES]}))[0]["state"] == "under_way"
    async with database.writer() as tx:
        assert await put_off(tx, CHORES, work, "no broom", 600)
    [failing] = await late_work({database: [CHORES]})
    assert failing["why"].startswith("It was tried once, the last time: no broom. It goes on at ")
    assert failing["go_on"] == "Do it by hand."
    async with database.writer() as tx:
        taken = await take(tx, CHORES, 1)
        assert taken is not None
        assert await give_up(tx, CHORES, taken, "no broom ever", "is_dead = true")
    [dead] = await late_work({database: [CHORES]})
    assert (dead["state"], dead["why"], dead["due_at"]) == (
        "given_up",
        "It was tried 2 times and given up: no broom ever.",
        None,
    )
    [counted] = await database.look(watch_of([CHORES]).statement, name="test")
    assert (counted["queue"], counted["late"], counted["given_up"]) == ("sample.do_chore", 0, 1)


async def test_facts_that_do_not_leave_are_late_as_well(database: Database) -> None:
    async with database.writer() as tx:
        await run(
            tx,
            """INSERT INTO outbox (event_id, subject, aggregate_id, data, created_at)
            VALUES (gen_random_uuid(), 'events.sample.x.v1', 'a', '{}', now() - interval '5 min')""",
        )
    [late] = await late_work({database: []})
    assert (late["queue"], late["about"], late["state"]) == ("outbox", "a", "untaken")


def test_pauses_grow_to_their_longest() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=30)
    for attempt, seconds in ((1, 1), (2, 2), (5, 16), (6, 30), (10_000, 30)):
        assert 0.8 * seconds <= backoff.after(attempt) <= 1.2 * seconds
