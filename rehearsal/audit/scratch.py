"""The auditor's own room: temporary tables of one session of Postgres, filled from all databases and the bank's ledger.

No login of the system may see two databases, so what crosses services is copied first, each database in one snapshot of one
connection that can only read. Rows go from server to server as Postgres' binary stream, a bounded part at a time; the
tables lie on the server's disk, never in this process, and are gone with the session.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg

from rehearsal.audit.model import MOST_NAMED, Broken, Copy, Invariant

PARTS_AT_ONCE = 8
ROWS_AT_ONCE = 10_000
MEMORY = {"temp_buffers": "64MB", "work_mem": "64MB"}
_BANK = """
    SELECT payment.id, payment.key, reference, status, captured_minor, refunded_minor, currency FROM payment"""
_BOOKED = """
    SELECT entry_id, payment_id, payment.key, reference, kind, entry.key, entry.amount_minor, entry.currency
    FROM entry JOIN payment ON payment.id = payment_id"""
_TABLES_OF_THE_BANK = {
    "bank_payment": (
        _BANK,
        """id text, key text, reference text, status text, captured_minor bigint, refunded_minor bigint,
           currency text""",
    ),
    "bank_entry": (
        _BOOKED,
        """entry_id bigint, payment_id text, payment_key text, reference text, kind text, key text,
           amount_minor bigint, currency text""",
    ),
}
TOLD = "told text, number text, state text, places int, trace_id text, at timestamptz"


class Scratch:
    """One session with temporary tables; close it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.tables: set[str] = set()

    @classmethod
    async def open(cls, url: str) -> "Scratch":
        """A session on that server. Raises asyncpg's and the system's errors if it does not answer."""
        return cls(await asyncpg.connect(url, server_settings=MEMORY))

    async def close(self) -> None:
        """Ends the session; its tables go with it."""
        await self._connection.close()

    async def take(self, url: str, copies: Iterable[Copy]) -> None:
        """Copies what is wanted of one database, as it is at one moment."""
        read_only = {"default_transaction_read_only": "on"}
        source = await asyncpg.connect(url, server_settings=read_only)
        try:
            async with source.transaction(isolation="repeatable_read", readonly=True):
                for copy in copies:
                    if not copy.needs or await source.fetchval("SELECT to_regclass($1)", copy.needs) is not None:
                        await self._take(source, copy)
        finally:
            await source.close()

    async def take_bank(self, ledger: Path) -> None:
        """Copies the bank's ledger, which is a file of its own."""
        # Its address is a file's, so that it can be opened to be read alone.
        books = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
        try:
            for table, (query, columns) in _TABLES_OF_THE_BANK.items():
                await self._fill(table, columns, books.execute(query))
        finally:
            books.close()

    async def take_acknowledgements(self, log: Path | None) -> None:
        """Copies what buyers were told, a JSON object a line; without a log nobody was told anything."""
        if log is None:
            await self._fill("told", TOLD, iter(()))
            return
        with log.open(encoding="utf-8") as lines:
            await self._fill("told", TOLD, (_told(line) for line in lines if line.strip()))

    async def finish(self) -> None:
        """After the last copy: the planner learns how large they are."""
        await self._connection.execute("ANALYZE")

    async def unite(self, kind: str, services: Iterable[str]) -> None:
        """`all_<kind>`: one view over a table that each service has."""
        parts = [f"SELECT '{name}' AS service, * FROM {name}_{kind}" for name in services]
        await self._connection.execute(f"CREATE TEMP VIEW all_{kind} AS {' UNION ALL '.join(parts)}")
        self.tables.add(f"all_{kind}")

    async def fill(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """A small table of what is known without any database."""
        await self._fill(table, columns, iter(rows))

    async def check(self, invariant: Invariant) -> Broken | None:
        """What breaks a promise, if anything does."""
        # Counted in the same pass, so that no more rows come here than are named.
        query = f"SELECT *, count(*) OVER () AS rows_that_break_it FROM ({invariant.query}) AS found LIMIT {MOST_NAMED}"
        found = await self._connection.fetch(query)
        if not found:
            return None
        rows = tuple({name: value for name, value in row.items() if name != "rows_that_break_it"} for row in found)
        return Broken(invariant, rows, found[0]["rows_that_break_it"])

    async def value(self, query: str) -> Any:
        """One value, for what is said beside the findings."""
        return await self._connection.fetchval(query)

    async def _take(self, source: asyncpg.Connection, copy: Copy) -> None:
        described = (await source.prepare(copy.query)).get_attributes()
        columns = ", ".join(f'"{each.name}" {each.type.name}' for each in described)
        # A further shard adds to what the first had.
        await self._connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {copy.table} ({columns})")
        parts: asyncio.Queue[bytes | None] = asyncio.Queue(PARTS_AT_ONCE)

        async def read() -> None:
            await source.copy_from_query(copy.query, output=parts.put, format="binary")
            await parts.put(None)

        async def written() -> AsyncIterator[bytes]:
            while (part := await parts.get()) is not None:
                yield part

        async with asyncio.TaskGroup() as both:
            both.create_task(read())
            both.create_task(self._connection.copy_to_table(copy.table, source=written(), format="binary"))
        self.tables.add(copy.table)

    async def _fill(self, table: str, columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
        await self._connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
        for first in rows:
            part = [first, *islice(rows, ROWS_AT_ONCE - 1)]
            await self._connection.copy_records_to_table(table, records=part)
        self.tables.add(table)


def _told(line: str) -> tuple[Any, ...]:
    told = json.loads(line)
    at = datetime.fromisoformat(told["at"])
    return told["told"], told.get("number"), told.get("state"), told.get("places"), told.get("trace_id"), at
