"""Databases for tests: copied from a migrated template once, then emptied and lent again.

To copy one makes some 300 files, which costs ten times more than to empty it. Who changed its shape (a table, a function, a
right, statistics) or filled it with much gets it thrown away instead: the next test begins with what the migrations make.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from chassis.ids import uuid7
from chassis.migrations import migrate

POSTGRES_VARIABLE = "ONSALE_TEST_POSTGRES_URL"
GROWN_BYTES = 4 << 20

# A hash of a database's tables, columns and rules: where it differs, emptying the tables does not bring the template back.
_SHAPE = """
WITH own AS (SELECT * FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_)'))
SELECT md5(string_agg(part, ' ' ORDER BY part)) FROM (
    SELECT format('%s %s %s %s', oid, relname, relacl, reltuples) AS part FROM own
    UNION ALL SELECT format('%s %s %s %s', attrelid, attname, atttypid, attnotnull) FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM own) AND attnum > 0
    UNION ALL SELECT format('%s %s %s', oid, proname, md5(prosrc)) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT format('%s %s', oid, conname) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT format('%s %s', oid, nspacl) FROM pg_namespace
    UNION ALL SELECT format('%s %s', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS parts
"""
_TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_)')
"""
_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename), COALESCE(last_value, start_value), last_value IS NOT NULL FROM pg_sequences
"""
# As nobody else connects to it any more when its test is over, whoever is still there is a process that a test has killed.
_ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Made:
    """What a database was when its migrations had run. `rows`: of the tables that these filled, as COPY writes them; `size` in bytes."""

    template: str
    shape: str
    size: int
    tables: tuple[str, ...]
    sequences: tuple[tuple[str, int, bool], ...]
    rows: dict[str, bytes]


@dataclass(frozen=True)
class Lent:
    """A database that a test has."""

    name: str
    made: Made

    @property
    def url(self) -> str:
        """Its address."""
        return url_of(self.name)


class Databases:
    """The databases of one process that runs tests. All of them are gone with their server."""

    def __init__(self) -> None:
        self._free: dict[str, list[Lent]] = {}

    def lend(self, service: str, migrations: Path) -> Lent:
        """An empty database, migrated; may be called within a running loop."""
        template = f"template_{service}_{_digest_of(migrations)}"
        if free := self._free.get(template):
            return free.pop()
        with _in_other_loop() as run:
            lent: Lent = run(_copied(f"{service}_{uuid7().hex}", template, migrations))
        return lent

    async def take_back(self, lent: Lent) -> None:
        """Empties a database for the next test, or drops it."""
        if await _emptied(lent):
            self._free.setdefault(lent.made.template, []).append(lent)
        else:
            await _dropped(lent.name)


def url_of(database: str) -> str:
    """The address of a database of the server that tests use."""
    return urlsplit(os.environ[POSTGRES_VARIABLE])._replace(path=f"/{database}").geturl()


@contextmanager
def _in_other_loop() -> Iterator[Callable[[Any], Any]]:
    """Runs coroutines to their end from within a running loop: in a thread with a loop of its own."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        yield lambda coroutine: pool.submit(asyncio.run, coroutine).result()


async def _copied(database: str, template: str, migrations: Path) -> Lent:
    admin = await asyncpg.connect(os.environ[POSTGRES_VARIABLE])
    try:
        # All workers of a run share the templates: the first one makes it, the others wait.
        await admin.execute("SELECT pg_advisory_lock(hashtext($1))", template)
        try:
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate", template):
                await admin.execute(f'DROP DATABASE IF EXISTS "{template}"')
                await admin.execute(f'CREATE DATABASE "{template}"')
                await asyncio.to_thread(migrate, migrations, url_of(template))
                await admin.execute(f'ALTER DATABASE "{template}" WITH is_template true')
            await admin.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY wal_log')
        finally:
            await admin.execute("SELECT pg_advisory_unlock(hashtext($1))", template)
    finally:
        await admin.close()
    return Lent(database, await _as_made(database, template))


async def _as_made(database: str, template: str) -> Made:
    connection = await asyncpg.connect(url_of(database))
    try:
        tables = tuple(row[0] for row in await connection.fetch(_TABLES))
        filled = [table for table in tables if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})")]  # noqa: S608
        rows: dict[str, bytes] = {}
        for table in filled:
            copied = BytesIO()
            await connection.copy_from_query(f"TABLE {table}", output=copied)
            rows[table] = copied.getvalue()
        return Made(
            template,
            shape=await connection.fetchval(_SHAPE),
            size=await connection.fetchval("SELECT pg_database_size(current_database())"),
            tables=tables,
            sequences=tuple(tuple(row) for row in await connection.fetch(_SEQUENCES)),
            rows=rows,
        )
    finally:
        await connection.close()


async def _emptied(lent: Lent) -> bool:
    """Empties a database. False if it has grown too much, or if its shape is not the template's any more."""
    made = lent.made
    connection = await asyncpg.connect(lent.url)
    try:
        await connection.execute(_ALONE)
        grown = await connection.fetchval("SELECT pg_database_size(current_database())") - made.size
        if grown > GROWN_BYTES or await connection.fetchval(_SHAPE) != made.shape:
            return False
        # Triggers keep the ledger and others from being emptied, and foreign keys ask for an order: none of them for a replica.
        emptying = ["SET session_replication_role = replica", *(f"DELETE FROM {table}" for table in made.tables)]  # noqa: S608
        await connection.execute("; ".join(emptying))
        for table, rows in made.rows.items():
            schema, _, name = table.rpartition(".")
            await connection.copy_to_table(name, source=BytesIO(rows), schema_name=schema or None)
        for sequence in made.sequences:
            await connection.execute("SELECT setval($1::text::regclass, $2, $3)", *sequence)
        return True
    finally:
        await connection.close()


async def _dropped(database: str) -> None:
    admin = await asyncpg.connect(os.environ[POSTGRES_VARIABLE])
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    finally:
        await admin.close()


def _digest_of(migrations: Path) -> str:
    """A hash of migrations, for the template's name: another version of a service has templates of its own on the same server."""
    digest = hashlib.sha256()
    for path in sorted(migrations.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@asynccontextmanager
async def somebody_else(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Another process in the middle of its transaction. What it cannot lock within 3 s raises asyncpg's LockNotAvailableError."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '3s'")
            yield connection
    finally:
        await connection.close()


async def is_waited_for(connection: asyncpg.Connection) -> bool:
    """Whether somebody waits for what this connection has locked."""
    return bool(
        await connection.fetch("SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))")
    )
