"""A real streaming replica: whoever wrote something sees it, others may see the past, and nobody an error."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from chassis.consistency import Policy, own_writes, primary_only, stale
from chassis.db import Database, required_pin, written_pin
from chassis.statements import text
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings
from local.postgres import PostgresServer
from local.processes import free_port
from local.replica import PostgresReplica

IS_REPLICA = text("SELECT pg_is_in_recovery()")
COUNT = text("SELECT count(*) FROM note")
WRITE = text("INSERT INTO note DEFAULT VALUES")
OLD = own_writes(60, "A test.")
SWITCH = text("SELECT pg_switch_wal()")


@dataclass
class Pair:
    """A primary, its replica, and a service's database that has both."""

    primary: PostgresServer
    replica: PostgresReplica
    database: Database

    async def write(self, statement: object = WRITE) -> str:
        """Changes something; the pin of who did."""
        async with self.database.writer(single=True) as tx:
            await tx.execute(statement, name="tests.write")  # type: ignore[arg-type]
        pin = written_pin.get()
        assert pin is not None
        return pin

    async def read(self, pin: str | None = None, policy: Policy | None = OLD) -> tuple[int, bool]:
        """How many notes somebody sees, and whether the replica was asked."""
        required_pin.set(pin)
        async with self.database.reader(policy) as reads:
            count = int((await reads.execute(COUNT, name="tests.count")).scalar())
            return count, bool((await reads.execute(IS_REPLICA, name="tests.is_replica")).scalar())

    async def on_replica(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.replica.url())
        try:
            for each in statements:
                await connection.execute(each)
        finally:
            await connection.close()

    async def is_served_there(self, pin: str | None, policy: Policy = OLD) -> bool:
        return (await self.read(pin, policy))[1]


@asynccontextmanager
async def paused(pair: Pair) -> AsyncIterator[None]:
    """Nothing is replayed for a while."""
    await pair.on_replica("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        await pair.on_replica("SELECT pg_wal_replay_resume()")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, PostgresReplica]]:
    with PostgresServer() as primary:
        folder = Path(primary.folder, "copy")
        replica = PostgresReplica(primary, folder, free_port())
        replica.start()
        try:
            yield primary, replica
        finally:
            replica.stop()


@pytest.fixture
async def pair(harness: Harness, servers: tuple[PostgresServer, PostgresReplica]) -> AsyncIterator[Pair]:
    primary, replica = servers
    connection = await asyncpg.connect(primary.url())
    await connection.execute("DROP TABLE IF EXISTS note")
    await connection.execute("CREATE TABLE note (at timestamptz DEFAULT now())")
    await connection.close()
    settings = harness.settings(SampleSettings, database_url=primary.url(), replica_url=replica.url())
    database = Database(settings)
    made = Pair(primary, replica, database)
    pin = await made.write(text("SELECT 1"))
    await harness.eventually(lambda: made.is_served_there(pin))
    yield made
    required_pin.set(None)
    await database.close()


async def test_the_author_sees_what_a_stranger_does_not_yet_while_nothing_is_replayed(pair: Pair) -> None:
    async with paused(pair):
        pin = await pair.write()
        assert await pair.read(pin) == (1, False)
        assert await pair.read() == (0, True)


async def test_a_pin_is_served_by_the_replica_as_soon_as_it_has_it(harness: Harness, pair: Pair) -> None:
    pin = await pair.write()
    await harness.eventually(lambda: pair.is_served_there(pin))
    assert await pair.read(pin) == (1, True)


async def test_a_moment_is_waited_for_the_replica(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.replicas.PIN_WAIT_SECONDS", 10.0)
    await pair.on_replica("SELECT pg_wal_replay_pause()")
    pin = await pair.write()
    reading = asyncio.create_task(pair.read(pin))
    await asyncio.sleep(0.3)
    assert not reading.done()
    await pair.on_replica("SELECT pg_wal_replay_resume()")
    assert await reading == (1, True)


async def test_at_rest_after_a_switch_of_segments_the_replica_has_all_that_was_written(
    harness: Harness, pair: Pair
) -> None:
    """Postgres says then where the next record may begin, which no replica reaches before something is written."""
    await pair.write()
    pin = await pair.write(SWITCH)
    await harness.eventually(lambda: pair.is_served_there(pin), patience_seconds=3.0)


async def test_who_minds_no_pins_may_see_the_past_though_they_wrote(pair: Pair) -> None:
    async with paused(pair):
        pin = await pair.write()
        assert await pair.read(pin, stale(60, "A test.")) == (0, True)
        assert await pair.read(pin, primary_only("A test.")) == (1, False)
        assert await pair.read(None, None) == (1, False), "Work that is no request reads the primary."


async def test_a_replica_that_is_older_than_a_read_may_be_does_not_serve_it(harness: Harness, pair: Pair) -> None:
    young, old = stale(1.0, "A test."), stale(30, "A test.")
    await harness.eventually(lambda: pair.is_served_there(None, young))
    async with paused(pair):
        await pair.write()
        assert (await pair.read(None, young))[1], "What was there a moment ago is young enough."
        await asyncio.sleep(1.1)
        assert await pair.read(None, young) == (1, False)
        assert await pair.read(None, old) == (0, True)
    await harness.eventually(lambda: pair.is_served_there(None, young))


async def test_at_rest_a_replica_is_as_young_as_the_look_at_it(pair: Pair) -> None:
    """Nothing is written, so nothing is missing, however long ago the last change was."""
    await asyncio.sleep(1.2)
    assert (await pair.read(None, stale(1.0, "A test.")))[1]


async def test_a_replica_that_lags_steadily_serves_who_may_see_as_much_of_the_past(
    harness: Harness, pair: Pair
) -> None:
    """Its age is measured while it lags, and not only when it has caught up."""
    await pair.on_replica("ALTER SYSTEM SET recovery_min_apply_delay = '1s'", "SELECT pg_reload_conf()")
    served, until = [], asyncio.get_running_loop().time() + 4.0
    try:
        while asyncio.get_running_loop().time() < until:
            await pair.write()
            served.append(
                ((await pair.read(None, stale(3.0, "A test.")))[1], (await pair.read(None, stale(0.5, "A test.")))[1])
            )
            await asyncio.sleep(0.05)
    finally:
        await pair.on_replica("ALTER SYSTEM RESET recovery_min_apply_delay", "SELECT pg_reload_conf()")
    half = served[len(served) // 2 :]
    assert all(there for there, _ in half)
    assert not any(there for _, there in half)


async def test_a_pin_costs_no_question_once_the_replica_is_known_to_have_it(
    harness: Harness, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = await pair.write()
    await harness.eventually(lambda: pair.is_served_there(pin))

    async def ask(_source: object) -> int:
        raise AssertionError("It is known.")

    (replica,) = pair.database._replicas
    monkeypatch.setattr(replica, "_ask_replayed", ask)
    assert await pair.read(pin) == (1, True)


async def test_of_several_replicas_those_are_read_that_answer(harness: Harness, pair: Pair) -> None:
    nobody = f"postgresql://a:b@127.0.0.1:{free_port()}/x"
    urls = f"{pair.replica.url()} {nobody} {pair.replica.url()}"
    settings = harness.settings(SampleSettings, database_url=pair.primary.url(), replica_url=urls)
    several = Pair(pair.primary, pair.replica, Database(settings))
    pin = await several.write()
    await harness.eventually(lambda: several.is_served_there(pin))
    assert [(await several.read(pin))[1] for _ in range(6)] == [True] * 6
    assert sorted(each.is_resting for each in several.database._replicas) == [False, False, True]
    await several.database.close()


async def test_what_fails_while_reading_from_a_replica_is_not_read_twice(harness: Harness, pair: Pair) -> None:
    await harness.eventually(lambda: pair.is_served_there(None))
    times = 0

    async def read() -> None:
        nonlocal times
        async with pair.database.reader(OLD):
            times += 1
            raise LookupError

    with pytest.raises(LookupError):
        await read()
    assert times == 1
