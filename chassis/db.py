"""The service's own database: one transaction per use case, reads that may go to a replica."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import time_ns
from typing import Any

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.engine import make_url

from chassis.connections import Connections, PoolTimeout
from chassis.consistency import Policy, current_policy
from chassis.errors import NotMigrated, StoreUnavailable
from chassis.facts import Fact
from chassis.logs import log
from chassis.outbox import INSERT, parameters_of, row_of
from chassis.replicas import Replica, Replicas, position
from chassis.settings import ServiceSettings
from chassis.statements import Parameters, Result, Row, prepared, text
from tracing.instruments import (
    POOL_CONNECTIONS,
    POOL_MOST,
    POOL_TIMEOUTS,
    POOL_WAIT,
    REPLICA_AGE,
    REPLICA_PASSED_OVER,
)
from tracing.metrics import Metrics
from tracing.series import Series
from tracing.spans import late_span, note
from tracing.sql import Statements

# The WAL position of the last write that the current request made, and the one that it must at least see.
written_pin: ContextVar[str | None] = ContextVar("written_pin", default=None)
required_pin: ContextVar[str | None] = ContextVar("required_pin", default=None)

SLOW_NS = 2_000_000
LOOK_SECONDS = 1.0
# SQLSTATE classes of a server that is going away, full, or gone, and of a transaction that it gave up (a deadlock): try again.
UNAVAILABLE_SQLSTATES = ("08", "40", "53", "57P")

OF_THE_DRIVER = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_LOG = log(__name__)


class Reads:
    """A connection for reading. Each statement sees what was committed when it began."""

    def __init__(self, connection: "asyncpg.Connection[Row]", watched: Statements) -> None:
        self._connection = connection
        self._watched = watched

    async def execute(self, statement: Executable, parameters: Parameters = None, *, name: str) -> Result:
        """Runs a statement; `name` is its span's (`inventory.take_places`). With a list of parameters once for each.

        Raises asyncpg's errors.
        """
        several = None if parameters is None or isinstance(parameters, Mapping) else parameters
        values = parameters if isinstance(parameters, Mapping) else (several or ({},))[0]
        wanted = prepared(statement, values)
        begun = self._watched.begin(name, wanted.sql)
        try:
            if several is not None:
                await self._connection.executemany(wanted.sql, [wanted.arguments(each) for each in several])
                result = Result((), len(several))
            elif wanted.returns_rows:
                rows = await self._connection.fetch(wanted.sql, *wanted.arguments(values))
                result = Result(rows, len(rows))
            else:
                status = await self._connection.execute(wanted.sql, *wanted.arguments(values))
                result = Result((), _changed(status))
        except BaseException as error:
            begun.fail(error)
            raise
        begun.end(result.rowcount)
        return result


class Transaction(Reads):
    """One transaction, and the facts that become true with it."""

    def __init__(self, connection: "asyncpg.Connection[Row]", watched: Statements) -> None:
        super().__init__(connection, watched)
        self._facts: list[dict[str, Any]] = []
        # Whether facts become true with it, which the relay then has to send.
        self.is_telling = False
        self._callbacks: list[Callable[[], None]] = []

    async def publish(self, fact: Fact, *, traceparent: str | None = None) -> None:
        """Tells the world, if this transaction commits: the fact becomes a row of the outbox.

        `traceparent` puts the fact into another trace than the current one: that of the row which it is about.
        """
        self._facts.append(row_of(fact, traceparent))

    def facts_to_write(self) -> dict[str, str]:
        """The parameters of facts for a statement that writes them itself, with its change (`chassis.outbox.insert_with`).

        Whoever takes them writes them. Empty if nothing was published.
        """
        if not self._facts:
            return {}
        taken, self._facts, self.is_telling = self._facts, [], True
        return parameters_of(taken)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls back if and when this transaction has committed; not if it fails."""
        self._callbacks.append(callback)

    async def flush_facts(self) -> None:
        """Writes the facts that no statement has written itself, all in one."""
        if facts := self.facts_to_write():
            await self.execute(INSERT, facts, name="outbox.insert")

    def committed(self) -> None:
        """Runs the callbacks; called by the database."""
        for callback in self._callbacks:
            callback()


class SingleStatement(Transaction):
    """A transaction of one statement, which writes the facts that were published before it. Raises RuntimeError for anything more."""

    _is_used = False

    async def execute(self, statement: Executable, parameters: Parameters = None, *, name: str) -> Result:
        if self._is_used:
            raise RuntimeError(f"{name} is a second statement of what was to be a single one: it would not be undone.")
        if self._facts:
            raise RuntimeError(f"{name} does not write the facts that were published: they would be lost.")
        self._is_used = True
        return await super().execute(statement, parameters, name=name)

    async def publish(self, fact: Fact, *, traceparent: str | None = None) -> None:
        if self._is_used:
            raise RuntimeError(f"{fact.subject} must be written with the change that it is about, and that is done.")
        await super().publish(fact, traceparent=traceparent)


class Database:
    """A primary, perhaps replicas of it, and the outbox in it.

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
        self._settings = settings
        primary_url = url or settings.database_url.get_secret_value()
        self._primary = self._source(primary_url, "primary", self.pool, settings.database_pool_size)
        # Checks of health have a pool of their own: a process whose connections are all at work is busy, and not ill.
        self._health = self._source(primary_url, "primary", None, 1)
        urls = settings.replica_url.get_secret_value().split() if settings.replica_url and not url else []
        self._replicas = Replicas([self._replica(each, number) for number, each in enumerate(urls, 1)])
        # Set when facts were committed; the relay of the outbox waits for it (chassis/relay.py).
        self.facts_written = asyncio.Event()
        # Transactions that this process has committed; chassis/lookout.py looks for work after them.
        self.writes = 0

    @asynccontextmanager
    async def writer(self, *, single: bool = False) -> AsyncIterator[Transaction]:
        """One transaction on the primary; commits at the end of the block, rolls back if it raises.

        `single`: it is one statement, which commits by itself, whatever the block does afterwards: two round trips less.
        """
        if single:
            async with self._single() as transaction:
                yield transaction
            return
        async with self._connected(self._primary) as connection:
            transaction = Transaction(connection, self._primary.watched)
            await connection.execute("BEGIN")
            try:
                yield transaction
                await transaction.flush_facts()
                started = time_ns()
                await connection.execute("COMMIT")
            except Exception:
                if connection.is_in_transaction() and not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
            if time_ns() - started > SLOW_NS:
                late_span("commit", started, {"db.system.name": "postgresql", "db.operation.name": "COMMIT"})
            if self._replicas:
                await self._note_pin(connection)
        self.writes += 1
        if transaction.is_telling:
            self.facts_written.set()
        transaction.committed()

    @asynccontextmanager
    async def _single(self) -> AsyncIterator[Transaction]:
        async with self._connected(self._primary) as connection:
            transaction = SingleStatement(connection, self._primary.watched)
            yield transaction
            if self._replicas:
                await self._note_pin(connection)
        self.writes += 1
        if transaction.is_telling:
            self.facts_written.set()
        transaction.committed()

    @asynccontextmanager
    async def reader(self, policy: Policy | None = None) -> AsyncIterator[Reads]:
        """Reads as old as the policy allows, by default that of the operation that is answered; without one on the primary."""
        policy = policy or current_policy.get()
        async with AsyncExitStack() as stack:
            served = None
            if self._replicas and policy is not None and policy.may_be_old:
                served = await self._from_a_replica(stack, policy)
            if served is None:
                served = self._primary, await stack.enter_async_context(self._connected(self._primary))
            source, connection = served
            yield Reads(connection, source.watched)

    async def _from_a_replica(
        self, stack: AsyncExitStack, policy: Policy
    ) -> "tuple[Source, asyncpg.Connection[Row]] | None":
        """A connection that `stack` gives back. None if no replica is fit for it."""
        pin = required_pin.get() if policy.minds_pins else None
        found = None
        async for replica in self._replicas.fit(policy, pin):
            try:
                connection = await stack.enter_async_context(self._connected(replica.source))
            except StoreUnavailable:
                replica.rest()
                continue
            found = replica.source, connection
            break
        note({"onsale.db.policy": str(policy), **({"onsale.db.pin": pin} if pin else {})})
        if found is None:
            self.metrics.count(REPLICA_PASSED_OVER, {"db.client.connection.pool.name": self.pool})
        return found

    async def check(self, newest_migration: str | None = None) -> None:
        """Asks the primary for a sign of life, and whether it is migrated that far (further is fine: a newer version runs beside).

        Raises `StoreUnavailable` without an answer, and `NotMigrated`.
        """
        # A look at the catalogue first: asking a table that is not there would be an error in the server's log every few seconds.
        query = _SIGN_OF_LIFE if newest_migration is None else _IS_THERE
        async with self._connected(self._health) as connection:
            reads = Reads(connection, self._health.watched)
            is_there = (await reads.execute(query, name="health.check")).scalar_one()
            if newest_migration is None:
                return
            found = (await reads.execute(_VERSION, name="health.version")).scalar() if is_there else None
        if (found or "") < newest_migration:
            raise NotMigrated(found, newest_migration)

    async def look(self, statement: Executable, *, name: str) -> Sequence[Row]:
        """The rows of a small question for those who watch, beside all other work: over the connection of the health check.

        Raises `TimeoutError` after LOOK_SECONDS, so that watching does not make anybody look ill; else as above.
        """
        async with asyncio.timeout(LOOK_SECONDS), self._connected(self._health) as connection:
            return (await Reads(connection, self._health.watched).execute(statement, name=name)).all()

    async def close(self) -> None:
        """Closes all connections."""
        for replica in self._replicas:
            await replica.stop()
        for source in (self._primary, self._health, *(each.source for each in self._replicas)):
            await source.connections.close()

    @asynccontextmanager
    async def _connected(self, source: "Source") -> AsyncIterator["asyncpg.Connection[Row]"]:
        asked = time_ns()
        try:
            connection = await source.connections.take()
        except PoolTimeout as error:
            if source.pool:
                self.metrics.count(POOL_TIMEOUTS, {"db.client.connection.pool.name": source.pool})
            raise StoreUnavailable from error
        except (*OF_THE_DRIVER, OSError, TimeoutError) as error:
            raise StoreUnavailable from error
        waited = time_ns() - asked
        if source.waits:
            source.waits.add(max(0, waited) / 1e9)
        if waited > SLOW_NS:
            late_span("pool.acquire", asked, {"db.client.connection.pool.name": source.pool or self.name})
        is_sound = False
        try:
            yield connection
            is_sound = True
        except (*OF_THE_DRIVER, OSError) as error:
            # What the server refused, or the driver could not send, leaves the connection as it was.
            is_sound = isinstance(error, asyncpg.PostgresError | asyncpg.DataError)
            if _is_unavailable(error, connection):
                raise StoreUnavailable from error
            raise
        except Exception:
            is_sound = True  # a refusal of the service's own: its transaction was rolled back
            raise
        finally:
            source.connections.give_back(connection, is_sound=is_sound)

    async def _note_pin(self, connection: "asyncpg.Connection[Row]") -> None:
        # After the commit, since only then its own record is below the position; one more round trip, with replicas only.
        written_pin.set(await connection.fetchval(_END_OF_WAL))

    def _replica(self, url: str, number: int) -> "Replica[Source]":
        name = f"{self.pool}-replica" if number == 1 else f"{self.pool}-replica-{number}"
        source = self._source(url, "replica", name, self._settings.database_pool_size)
        replica = Replica(source, self._primary_stands, self._replayed)
        self.metrics.show(
            REPLICA_AGE,
            lambda: [(replica.age_seconds, {"db.client.connection.pool.name": name})] if replica.is_known else [],
        )
        return replica

    async def _primary_stands(self) -> int:
        async with self._connected(self._primary) as connection:
            return position(await connection.fetchval(_END_OF_WAL))

    async def _replayed(self, source: "Source") -> int:
        async with self._connected(source) as connection:
            # None from a server that is no replica: it never has what was written.
            return position(await connection.fetchval(_REPLAYED) or "0/0")

    def _source(self, url: str, role: str, pool: str | None, size: int) -> "Source":
        settings = self._settings
        address = make_url(url).set(drivername="postgresql")
        connections = Connections(
            address.render_as_string(hide_password=False),
            size,
            server_settings={
                "application_name": f"onsale-{settings.service_name}",
                "statement_timeout": str(int(settings.statement_timeout_seconds * 1000)),
                "timezone": "UTC",
                "jit": "off",
            },
            wait_seconds=settings.database_wait_seconds,
        )
        if pool is None:
            return Source(connections, Statements(address.database or "", role))
        named = {"db.client.connection.pool.name": pool}
        self.metrics.show(
            POOL_CONNECTIONS,
            lambda: [
                (connections.used, {**named, "db.client.connection.state": "used"}),
                (connections.idle, {**named, "db.client.connection.state": "idle"}),
            ],
        )
        self.metrics.show(POOL_MOST, lambda: [(connections.size, named)])
        watched = Statements(address.database or "", role, self.metrics)
        return Source(connections, watched, pool, self.metrics.series(POOL_WAIT, named))


@dataclass(frozen=True)
class Source:
    """A server that is asked: its connections, and who watches its statements. `pool` is its name in metrics."""

    connections: Connections
    watched: Statements
    pool: str | None = None
    waits: Series | None = None


_SIGN_OF_LIFE = text("SELECT 1")
_IS_THERE = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_VERSION = text("SELECT max(version_num) FROM alembic_version")
# Where the last record ends. Postgres says where the next one may begin: after the header of a page or of a segment that was just
# begun, which a replica reaches when something else is written, at rest seconds later.
_END_OF_WAL = """
    SELECT (CASE WHEN at % segment = 40 THEN lsn - 40::numeric WHEN at % 8192 = 24 THEN lsn - 24::numeric ELSE lsn END)::text
    FROM (SELECT lsn, lsn - '0/0' AS at, pg_size_bytes(current_setting('wal_segment_size')) AS segment
          FROM pg_current_wal_insert_lsn() AS lsn) AS position
"""
_REPLAYED = "SELECT pg_last_wal_replay_lsn()::text"


def _changed(status: str) -> int:
    """How many rows, from what the server says of a statement: `UPDATE 3`, `INSERT 0 3`."""
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


def _is_unavailable(error: Exception, connection: "asyncpg.Connection[Row]") -> bool:
    if isinstance(error, asyncpg.PostgresError):
        # A statement that was prepared before a migration is prepared anew the next time.
        is_old = isinstance(error, asyncpg.InvalidCachedStatementError)
        return is_old or (error.sqlstate or "").startswith(UNAVAILABLE_SQLSTATES)
    # The driver calls it an internal error when the server ends a session at the moment when a statement is sent.
    return isinstance(error, OSError | asyncpg.InternalClientError) or connection.is_closed()
