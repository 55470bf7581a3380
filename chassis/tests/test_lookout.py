"""One question for all queues: who has something to do is woken, and where nothing can have come nobody asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from chassis import lookout
from chassis.db import Database
from chassis.lookout import Lookout
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings
from chassis.tests.test_running import SAMPLE
from chassis.work import Queue
from chassis.worker import Worker

TABLES = ("chore", "errand")
TABLE = """
    CREATE TABLE {} (
        key integer PRIMARY KEY, done_at timestamptz, due_at timestamptz NOT NULL DEFAULT now(), leased_until timestamptz
    )
"""


class Counted(Worker):
    """A worker that only counts how often it is woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


@dataclass
class Desk:
    database: Database
    lookout: Lookout
    workers: dict[str, Counted]

    async def write(self, statement: str) -> None:
        async with self.database.writer(single=True) as tx:
            await tx.execute(text(statement), name="test.write")

    async def looks(self) -> int:
        """How many questions one step asks."""
        before = self.database.writes
        await self.lookout()
        return self.database.writes - before

    def woken(self) -> list[str]:
        return [name for name, worker in self.workers.items() for _ in range(worker.woken)]


@pytest.fixture
async def desk(harness: Harness) -> AsyncIterator[Desk]:
    database = Database(harness.settings(SampleSettings, migrations=SAMPLE / "migrations"))
    made = Desk(database, Lookout(database), {})
    for name in TABLES:
        await made.write(TABLE.format(name))
        queue = Queue(name, name, key="key", waits="done_at IS NULL", go_on="Do it by hand.", lease_seconds=60)
        made.workers[name] = Counted()
        made.lookout.wakes(queue, made.workers[name])
    yield made
    await database.close()


async def test_the_worker_of_what_is_due_is_woken_and_no_other(desk: Desk) -> None:
    await desk.write("INSERT INTO errand (key) VALUES (1), (2)")
    await desk.write("INSERT INTO chore (key, leased_until) VALUES (1, now() + interval '1 hour')")
    await desk.write("INSERT INTO chore (key, due_at) VALUES (2, now() + interval '1 hour')")
    await desk.write("INSERT INTO chore (key, done_at) VALUES (3, now())")
    assert await desk.looks() == 1
    assert desk.woken() == ["errand"]


async def test_while_something_waits_it_is_looked_for_each_time(desk: Desk) -> None:
    await desk.write("INSERT INTO chore (key, due_at) VALUES (1, now() + interval '1 hour')")
    assert [await desk.looks() for _ in range(3)] == [1, 1, 1]
    assert desk.woken() == []


async def test_while_nothing_waits_it_rests_until_this_process_writes(desk: Desk) -> None:
    assert [await desk.looks() for _ in range(3)] == [1, 0, 0]
    await desk.write("INSERT INTO chore (key) VALUES (1)")
    assert await desk.looks() == 1
    assert desk.woken() == ["chore"]


async def test_what_another_process_left_is_found_after_a_rest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "REST_SECONDS", 0)
    assert [await desk.looks() for _ in range(3)] == [1, 1, 1]


async def test_what_is_written_while_it_looks_is_looked_for_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Lookout._question

    def meanwhile(looking: Lookout) -> str:
        desk.database.writes += 1
        return question(looking)

    monkeypatch.setattr(Lookout, "_question", meanwhile)
    await desk.lookout()
    monkeypatch.setattr(Lookout, "_question", question)
    assert [await desk.looks() for _ in range(2)] == [1, 0]
