"""Plants rows in copies of the databases of a system that has sold, one bug at a time, and lets the auditor look."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from string import Template

import asyncpg

from local.system import System
from local.topology import SERVICES, database_of
from rehearsal.audit.auditor import audit
from rehearsal.audit.sources import Sources
from rehearsal.bugs.model import BANK, TOLD, Outcome, RowBug

PLANTED = "onsale_planted"
# Nothing holds in a copy, so that rows can be what a missing constraint would let them become.
_BARE = """
    DO $$ DECLARE each record; BEGIN
        FOR each IN SELECT conname, conrelid::regclass AS of FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
                    WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', each.of, each.conname);
        END LOOP;
        FOR each IN SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
                    WHERE indisunique AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('DROP INDEX IF EXISTS %s', each.name);
        END LOOP;
        FOR each IN SELECT attname, attrelid::regclass AS of FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                    WHERE attnotnull AND attnum > 0 AND attidentity = '' AND relkind = 'r'
                      AND relnamespace = 'public'::regnamespace LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', each.of, each.attname);
        END LOOP;
    END $$"""


class Ground:
    """A system that has sold and whose services have ended: nobody writes to its databases any more."""

    def __init__(self, system: System, folder: Path) -> None:
        self._system = system
        self._folder = folder
        self._sources = Sources.of(system)
        self._numbers: dict[str, str] = {}

    async def prepare(self) -> None:
        """Ends the services, and makes of each database a copy without any constraint."""
        for service in SERVICES:
            self._system.kill(service, restart=False)
        for state in ("confirmed", "cancelled"):
            async with self._connected(database_of("orders")) as orders:
                query = "SELECT min(number) FROM purchase_order WHERE state = $1"
                self._numbers[f"{state.upper()}_NUMBER"] = await orders.fetchval(query, state)
        for service in SERVICES:
            await self._copy(database_of(service), _bare(service))
            async with self._connected(_bare(service)) as copy:
                await copy.execute(_BARE)

    async def give_back(self) -> None:
        """Starts the services again, for what comes after."""
        await asyncio.to_thread(self._system.restart_all, {service: {} for service in SERVICES})

    async def try_out(self, bug: RowBug) -> Outcome:
        """Whether the auditor finds it, what else it finds, and which constraint would have refused it."""
        refused_by = await self._refused_by(bug) if bug.database in SERVICES else ""
        async with self._planted(bug) as (sources, log):
            found = await audit(sources, log=log, rest_seconds=0.0)
        examples = [said for each in found.broken if each.invariant.number == bug.number for said in each.sentences]
        numbers = tuple(sorted(found.numbers))
        return Outcome(bug, bool(examples), numbers, refused_by, examples[0] if examples else "")

    @contextlib.asynccontextmanager
    async def _planted(self, bug: RowBug) -> AsyncIterator[tuple[Sources, Path | None]]:
        ours = self._sources
        if bug.database == TOLD:
            log = self._folder / "told.jsonl"
            log.write_text("\n".join(Template(each).substitute(self._numbers) for each in bug.statements))
            yield Sources(ours.url_of_database, ours.ledger), log
        elif bug.database == BANK:
            yield Sources(ours.url_of_database, self._other_ledger(bug)), None
        else:
            await self._copy(_bare(bug.database), PLANTED)
            async with self._connected(PLANTED) as planted:
                # No trigger fires in a session of this role.
                await planted.execute("SET session_replication_role = replica")
                for statement in bug.statements:
                    await planted.execute(statement)
            meant = database_of(bug.database)
            yield Sources(lambda name: ours.url_of_database(PLANTED if name == meant else name), ours.ledger), None

    async def _refused_by(self, bug: RowBug) -> str:
        """What the database that has all its constraints says to these statements; nothing if it takes them."""
        async with self._connected(database_of(bug.database)) as guarded:
            transaction = guarded.transaction()
            await transaction.start()
            try:
                for statement in bug.statements:
                    await guarded.execute(statement)
                await guarded.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except asyncpg.PostgresError as error:
                return str(error.constraint_name or type(error).__name__)
            finally:
                await transaction.rollback()
        return ""

    def _other_ledger(self, bug: RowBug) -> Path:
        other = self._folder / "bank.sqlite3"
        with (
            contextlib.closing(sqlite3.connect(self._sources.ledger)) as theirs,
            contextlib.closing(sqlite3.connect(other)) as books,
        ):
            theirs.backup(books)  # what it has not yet moved into its file comes along
            with books:
                for statement in bug.statements:
                    books.execute(statement)
        return other

    async def _copy(self, template: str, name: str) -> None:
        async with self._connected("postgres") as server:
            await server.execute(f'DROP DATABASE IF EXISTS "{name}"')
            await server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    @contextlib.asynccontextmanager
    async def _connected(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._sources.url_of_database(database))
        try:
            yield connection
        finally:
            await connection.close()


def _bare(service: str) -> str:
    return f"{database_of(service)}_bare"
