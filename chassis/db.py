"""The service's own database: one transaction per use case, reads that may go to a replica."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from time import monotonic, time_ns
from typing import Any

from sqlalchemy import CursorResult, Executable, RowMapping, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.errors import NotMigrated, StoreUnavailable
from chassis.facts import Fact
from chassis.logs import log
from chassis.outbox import INSERT, row_of
from chassis.settings import ServiceSettings
from tracing.instruments import POOL_CONNECTIONS, POOL_MOST, POOL_TIMEOUTS, POOL_WAIT
from tracing.measured import measure_engine
from tracing.metrics import Metrics
from tracing.spans import late_span, note
from tracing.sql import NAME_OPTION, instrument_engine

# The WAL position of the last write that the current request made, and the one that it must at least see.
written_pin: ContextVar[str | None] = ContextVar("written_pin", default=None)
required_pin: ContextVar[str | None] = ContextVar("required_pin", default=None)

SLOW_NS = 2_000_000
POOL_WAIT_SECONDS = 3.0
REPLICA_RESTS_SECONDS = 5.0
LOOK_SECONDS = 1.0
# SQLSTATE classes of a server that is going away, full, or gone, and of a transaction that it gave up (a deadlock): try again.
UNAVAILABLE_SQLSTATES = ("08", "40", "53", "57P")

_LOG = log(__name__)

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Reads:
    """A connection for reading. Each statement sees what was committed when it began."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Parameters = None, *, name: str) -> CursorResult[Any]:
        """Runs a statement; `name` is its span's (`inventory.take_places`)."""
        return await self._connection.execute(statement, parameters, execution_options={NAME_OPTION: name})


class Transaction(Reads):
    """One transaction, and the facts that become true with it."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._facts: list[dict[str, Any]] = []
        self._callbacks: list[Callable[[], None]] = []

    async def publish(self, fact: Fact, *, traceparent: str | None = None) -> None:
        """Tells the world, if this transaction commits: the fact becomes a row of the outbox.

        `traceparent` puts the fact into another trace than the current one: that of the row which it is about.
        """
        self._facts.append(row_of(fact, traceparent))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back if and when this transaction has committed; not if it fails."""
        self._callbacks.append(callback)

    async def flush_facts(self) -> bool:
        """Writes the facts, all in one statement. Whether there were any."""
        if self._facts:
            await self.execute(INSERT, self._facts, name="outbox.insert")
        return bool(self._facts)

    def committed(self) -> None:
        """Runs the callbacks; called by the database."""
        for callback in self._callbacks:
            callback()


class Database:
    """A primary, perhaps a replica of it, and the outbox in it.

    Raises `StoreUnavailable` when the server does not answer or gives up (a deadlock), or the pool stays empty; other
    database errors pass through, so that a service can translate its own constraints. `pool` is its name in metrics.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        url: str | None = None,
        metrics: Metrics | None = None,
        pool: str | None = None,
    ) -> None:
        self.name = settings.service_name
        self.pool = pool or settings.service_name
        self.metrics = metrics or Metrics()
        self._waits = {
            name: self.metrics.series(POOL_WAIT, {"db.client.connection.pool.name": name})
            for name in (self.pool, f"{self.pool}-replica")
        }
        self._settings = settings
        primary_url = url or settings.database_url.get_secret_value()
        self._primary = self._engine(primary_url, "primary", settings.database_pool_size)
        self._measure(self._primary, self.pool, "primary")
        # Checks of health have a pool of their own: a process whose connections are all at work is busy, and not ill.
        self._health = self._engine(primary_url, "primary", 1)
        replica = settings.replica_url
        self._replica: AsyncEngine | None = None
        if replica and not url:
            self._replica = self._engine(replica.get_secret_value(), "replica", settings.database_pool_size)
            self._measure(self._replica, f"{self.pool}-replica", "replica")
        self._replica_rests_until = float("-inf")
        # Set when facts were committed; the relay of the outbox waits for it (chassis/relay.py).
        self.facts_written = asyncio.Event()

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[Transaction]:
        """One transaction on the primary; commits at the end of the block, rolls back if it raises."""
        async with self._connected(self._primary, self.pool) as connection:
            transaction = Transaction(connection)
            begun = await connection.begin()
            try:
                yield transaction
                has_facts = await transaction.flush_facts()
                started = time_ns()
                await begun.commit()
            except BaseException:
                if begun.is_active:
                    await begun.rollback()
                raise
            if time_ns() - started > SLOW_NS:
                late_span("commit", started, {"db.system.name": "postgresql", "db.operation.name": "COMMIT"})
            if self._replica is not None:
                await self._note_pin(connection)
        if has_facts:
            self.facts_written.set()
        transaction.committed()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reads]:
        """Reads, on a replica if there is one that answers and has replayed what this caller wrote, else on the primary."""
        async with AsyncExitStack() as stack:
            connection = await self._from_replica(stack)
            if connection is None:
                connection = await stack.enter_async_context(self._connected(_autocommit(self._primary), self.pool))
            yield Reads(connection)

    async def _from_replica(self, stack: AsyncExitStack) -> AsyncConnection | None:
        """A connection that `stack` gives back. None if there is no replica, or it is behind, or it does not answer."""
        if self._replica is None or monotonic() < self._replica_rests_until:
            return None
        try:
            async with AsyncExitStack() as attempt:
                connection = await attempt.enter_async_context(
                    self._connected(_autocommit(self._replica), f"{self.pool}-replica")
                )
                if not await self._has_replayed(connection):
                    return None
                stack.push_async_exit(attempt.pop_all())
                return connection
        except StoreUnavailable:
            # The replica is left alone for a while: otherwise each read might wait for it again.
            self._replica_rests_until = monotonic() + REPLICA_RESTS_SECONDS
            _LOG.warning("the replica does not answer, reading from the primary", seconds=REPLICA_RESTS_SECONDS)
            return None

    async def check(self, newest_migration: str | None = None) -> None:
        """Asks the primary for a sign of life, and whether it is migrated that far (further is fine: a newer version runs beside).

        Raises `StoreUnavailable` without an answer, and `NotMigrated`.
        """
        # A look at the catalogue first: asking a table that is not there would be an error in the server's log every few seconds.
        query = "SELECT 1" if newest_migration is None else "SELECT to_regclass('alembic_version') IS NOT NULL"
        async with self._connected(_autocommit(self._health)) as connection:
            named = {NAME_OPTION: "health.check"}
            is_there = (await connection.execute(text(query), execution_options=named)).scalar_one()
            if newest_migration is None:
                return
            version = text("SELECT max(version_num) FROM alembic_version")
            found = (await connection.execute(version, execution_options=named)).scalar() if is_there else None
        if (found or "") < newest_migration:
            raise NotMigrated(found, newest_migration)

    async def look(self, statement: Executable, *, name: str) -> Sequence[RowMapping]:
        """The rows of a small question for those who watch, beside all other work: over the connection of the health check.

        Raises `TimeoutError` after LOOK_SECONDS, so that watching does not make anybody look ill; else as above.
        """
        async with asyncio.timeout(LOOK_SECONDS), self._connected(_autocommit(self._health)) as connection:
            return (await connection.execute(statement, execution_options={NAME_OPTION: name})).mappings().all()

    async def close(self) -> None:
        """Closes all connections."""
        await self._primary.dispose()
        await self._health.dispose()
        if self._replica is not None:
            await self._replica.dispose()

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine, pool: str | None = None) -> AsyncIterator[AsyncConnection]:
        asked = time_ns()
        try:
            async with engine.connect() as connection:
                waited = time_ns() - asked
                if pool:
                    self._waits[pool].add(max(0, waited) / 1e9)
                if waited > SLOW_NS:
                    late_span("pool.acquire", asked, {"db.client.connection.pool.name": pool or self.name})
                yield connection
        except (PoolTimeout, OSError) as error:
            if isinstance(error, PoolTimeout) and pool:
                self.metrics.count(POOL_TIMEOUTS, {"db.client.connection.pool.name": pool})
            raise StoreUnavailable from error
        except DBAPIError as error:
            if error.connection_invalidated or _is_unavailable(error):
                raise StoreUnavailable from error
            raise

    async def _note_pin(self, connection: AsyncConnection) -> None:
        # After the commit, since only then its own record is below the position; one more round trip, with replicas only.
        position = await connection.execute(text("SELECT pg_current_wal_insert_lsn()::text"))
        written_pin.set(position.scalar_one())

    async def _has_replayed(self, connection: AsyncConnection) -> bool:
        pin = required_pin.get()
        if pin is None:
            return True
        replayed = text("SELECT pg_last_wal_replay_lsn() >= CAST(CAST(:pin AS text) AS pg_lsn)")
        named = {NAME_OPTION: "replica.has_replayed"}
        has_replayed = bool((await connection.execute(replayed, {"pin": pin}, execution_options=named)).scalar())
        note({"onsale.db.pin": pin, "onsale.db.has_replayed": has_replayed})
        return has_replayed

    def _measure(self, engine: AsyncEngine, pool_name: str, role: str) -> None:
        measure_engine(engine.sync_engine, self.metrics, role=role)
        named = {"db.client.connection.pool.name": pool_name}
        pool: Any = engine.pool
        self.metrics.show(
            POOL_CONNECTIONS,
            lambda: [
                (pool.checkedout(), {**named, "db.client.connection.state": "used"}),
                (pool.checkedin(), {**named, "db.client.connection.state": "idle"}),
            ],
        )
        self.metrics.show(POOL_MOST, lambda: [(pool.size(), named)])

    def _engine(self, url: str, role: str, pool_size: int) -> AsyncEngine:
        settings = self._settings
        address = make_url(url).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(
            address,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # The text of an error goes to logs; what people typed must not.
            hide_parameters=True,
            connect_args={
                "timeout": POOL_WAIT_SECONDS,
                "server_settings": {
                    "application_name": f"onsale-{settings.service_name}",
                    "statement_timeout": str(int(settings.statement_timeout_seconds * 1000)),
                    "timezone": "UTC",
                    "jit": "off",
                },
            },
        )
        instrument_engine(engine.sync_engine, database=address.database or "", role=role)
        return engine


def _autocommit(engine: AsyncEngine) -> AsyncEngine:
    # The same pool without BEGIN and COMMIT, which would be two more round trips for a single SELECT.
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _is_unavailable(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(UNAVAILABLE_SQLSTATES) or isinstance(error.orig.__cause__ if error.orig else None, OSError)
