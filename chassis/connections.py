"""Connections to Postgres that are kept: at most so many at once, the one that was given back last first.

Those that nobody has needed for a minute are closed: each costs its server up to 6 MiB, for what it remembers of tables and plans.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import asyncpg
import orjson

from chassis.statements import Row

WAIT_SECONDS = 3.0
END_SECONDS = 3.0
UNUSED_SECONDS = 60.0
# Of texts that are put together while the program runs there are few; all others are constants.
STATEMENTS_KEPT = 256


class PoolTimeout(Exception):
    """All connections were busy for too long."""


class Connections:
    """A pool. asyncpg's own asks the server to forget the session at each return, and wraps each call; nothing here needs that.

    Connections are opened when they are needed. All but one are closed after `unused_seconds` in which nobody needed them. One that
    was used by whoever was cancelled, or that the server closed, is not used again.
    """

    def __init__(
        self,
        url: str,
        size: int,
        *,
        server_settings: Mapping[str, str],
        wait_seconds: float = WAIT_SECONDS,
        unused_seconds: float = UNUSED_SECONDS,
    ) -> None:
        self.size = size
        self._wait_seconds = wait_seconds
        self._url = url
        self._server_settings = dict(server_settings)
        self._unused_seconds = unused_seconds
        # With the time since when: the first one has waited longest.
        self._idle: list[tuple[asyncpg.Connection[Row], float]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(size)
        self._used: set[asyncpg.Connection[Row]] = set()
        self._is_closed = False

    @property
    def used(self) -> int:
        """How many are at work."""
        return len(self._used)

    @property
    def idle(self) -> int:
        """How many wait for work."""
        return len(self._idle)

    async def take(self) -> "asyncpg.Connection[Row]":
        """A connection for this caller alone. Raises PoolTimeout, and OSError or asyncpg's errors if it cannot be opened."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise PoolTimeout from error
        try:
            connection = self._from_idle() or await self._open()
        except BaseException:
            self._turns.release()
            raise
        self._used.add(connection)
        return connection

    def give_back(self, connection: "asyncpg.Connection[Row]", *, is_sound: bool) -> None:
        """The next one may use it, unless it is not sound: then it ends."""
        self._used.discard(connection)
        if is_sound and not self._is_closed and not connection.is_closed() and not connection.is_in_transaction():
            self._idle.append((connection, time.monotonic()))
            self._close_what_nobody_needs()
        else:
            connection.terminate()
        self._turns.release()

    async def close(self) -> None:
        """Closes those that wait for work; those at work end when they are given back."""
        self._is_closed = True
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            await _end(connection)
        await asyncio.gather(*self._closing)

    def _from_idle(self) -> "asyncpg.Connection[Row] | None":
        while self._idle:
            connection, _ = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    def _close_what_nobody_needs(self) -> None:
        """Called at each return: no service is so quiet that nobody looks for work."""
        oldest = time.monotonic() - self._unused_seconds
        while len(self._idle) > 1 and self._idle[0][1] < oldest:
            connection, _ = self._idle.pop(0)
            closing = asyncio.create_task(_end(connection))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _open(self) -> "asyncpg.Connection[Row]":
        connection: asyncpg.Connection[Row] = await asyncpg.connect(
            self._url,
            timeout=self._wait_seconds,
            record_class=Row,
            server_settings=self._server_settings,
            statement_cache_size=STATEMENTS_KEPT,
            max_cached_statement_lifetime=0,
        )
        for kind in ("json", "jsonb"):
            await connection.set_type_codec(
                kind, schema="pg_catalog", encoder=_text_of, decoder=orjson.loads, format="text"
            )
        return connection


async def _end(connection: "asyncpg.Connection[Row]") -> None:
    try:
        await connection.close(timeout=END_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()


def _text_of(document: Any) -> str:
    """Statements are given JSON as text."""
    return document if isinstance(document, str) else orjson.dumps(document).decode()
