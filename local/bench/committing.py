"""What a write costs that waits for another place: a primary, and a streaming replica whose connection is delayed.

Part of `make bench-regions`. In turns, all in one run: commits that wait for nobody but the primary's own disk; that wait until the
replica has them on its disk, as near as another machine of the same rack is; and that wait so while it is far away. Both servers are
durable, so a commit waits for a disk in any case.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from local.bench.relay import Relay
from local.housing import DELAY_BETWEEN_REGIONS_MS
from local.postgres import PostgresServer
from local.replica import NAME, PostgresReplica

WRITERS = 16
# How many wishes for one event inventory grants in one transaction.
TOGETHER = 64
FOLLOWS_SECONDS = 30.0
_TABLES = f"""
    CREATE TABLE place (place_id integer PRIMARY KEY, sold integer NOT NULL DEFAULT 0);
    CREATE TABLE hold (hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place_id integer NOT NULL);
    INSERT INTO place SELECT generate_series(0, {WRITERS - 1});
"""
_ONE = "UPDATE place SET sold = sold + 1 WHERE place_id = $1"
_MANY = f"""
    WITH held AS (INSERT INTO hold (place_id) SELECT $1 FROM generate_series(1, {TOGETHER}))
    UPDATE place SET sold = sold + {TOGETHER} WHERE place_id = $1
"""  # noqa: S608  # a number of this module


@dataclass(frozen=True)
class Way:
    """For whom a commit waits: Postgres' word for it, and how far away the other server is."""

    name: str
    synchronous_commit: str
    delay_ms: float


@dataclass(frozen=True)
class Shape:
    """Who writes: how many at once, whether all of them the same row, and how many places are held by one commit."""

    name: str
    writers: int
    of_one_row: bool
    statement: str = _ONE
    at_once: int = 1


WAYS = (
    Way("for nobody", "local", DELAY_BETWEEN_REGIONS_MS),
    Way("for one beside", "on", 0.0),
    Way("for the other side", "on", DELAY_BETWEEN_REGIONS_MS),
)
SHAPES = (
    Shape("one writer", 1, of_one_row=False),
    Shape(f"{WRITERS} writers, a row each", WRITERS, of_one_row=False),
    Shape(f"{WRITERS} writers, all one row", WRITERS, of_one_row=True),
    Shape(f"one writer, {TOGETHER} places a commit", 1, of_one_row=True, statement=_MANY, at_once=TOGETHER),
)


@dataclass
class Written:
    """Of one shape in one way: writes a second, by round, and milliseconds of each commit."""

    rates: list[float] = field(default_factory=list)
    commits_ms: list[float] = field(default_factory=list)


Found = dict[tuple[str, str], Written]


@asynccontextmanager
async def two_places() -> AsyncIterator[tuple[PostgresServer, Relay]]:
    """A primary, and the relay through which its replica follows it. Both servers are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="onsale-regions-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        # Whoever waits says so, else the tables could not be made while there is no replica.
        settings = {"synchronous_standby_names": NAME, "synchronous_commit": "local"}
        primary = PostgresServer(folder / "primary", settings=settings)
        async with Relay(primary.port) as relay:
            replica = PostgresReplica(primary, folder / "replica", through=relay.port)
            try:
                await asyncio.to_thread(primary.start)
                await asyncio.to_thread(replica.start)
                yield primary, relay
            finally:
                for server in (replica, primary):
                    await asyncio.to_thread(server.stop)
                    server.remove()


async def measure(rounds: int, seconds: float) -> Found:
    """All shapes in all ways, in turns."""
    found: Found = {(shape.name, way.name): Written() for shape in SHAPES for way in WAYS}
    async with two_places() as (primary, relay):
        await _prepare(primary)
        for number in range(rounds):
            for way in reversed(WAYS) if number % 2 else WAYS:
                relay.delay_seconds = way.delay_ms / 1000
                for shape in SHAPES:
                    await _turn(primary, way, shape, seconds, found[shape.name, way.name])
    return found


async def _prepare(primary: PostgresServer) -> None:
    """Makes the tables, and waits until the replica is one for which commits wait."""
    connection = await asyncpg.connect(primary.url())
    try:
        await connection.execute(_TABLES)
        until = time.monotonic() + FOLLOWS_SECONDS
        while await connection.fetchval("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != 1:
            if time.monotonic() > until:
                raise RuntimeError(f"The replica did not follow within {FOLLOWS_SECONDS:g} s.")
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def _turn(primary: PostgresServer, way: Way, shape: Shape, seconds: float, written: Written) -> None:
    connections = [await asyncpg.connect(primary.url()) for _ in range(shape.writers)]
    try:
        for each in connections:
            await each.execute(f"SET synchronous_commit = {way.synchronous_commit}")
        began = time.perf_counter()
        commits = await asyncio.gather(
            *(
                _write(each, shape.statement, 0 if shape.of_one_row else number, began + seconds)
                for number, each in enumerate(connections)
            )
        )
        taken = time.perf_counter() - began
    finally:
        for each in connections:
            await each.close()
    written.rates.append(shape.at_once * sum(map(len, commits)) / taken)
    written.commits_ms += [ms for own in commits for ms in own]


async def _write(connection: asyncpg.Connection, statement: str, place: int, until: float) -> list[float]:
    """Commits one after another until then, one at least: how long each took, in ms."""
    prepared = await connection.prepare(statement)
    took: list[float] = []
    while not took or time.perf_counter() < until:
        began = time.perf_counter()
        await prepared.fetch(place)
        took.append((time.perf_counter() - began) * 1000)
    return took


def told(found: Found) -> str:
    """Writes a second, and how long each commit took."""
    lines = [f"{'writes a second, a commit waits':36}" + "".join(f"{way.name:>24}" for way in WAYS)]
    for shape in SHAPES:
        cells = []
        for way in WAYS:
            written = found[shape.name, way.name]
            rate, ms = statistics.median(written.rates), statistics.median(written.commits_ms)
            cells.append(f"{f'{rate:,.0f} ({ms:.1f} ms)':>24}")
        lines.append(f"{shape.name:36}{''.join(cells)}")
    return "\n".join([*lines, "In brackets: how long one commit takes, the median."])
