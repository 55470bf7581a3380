"""Fills the databases of a running system with purchases: real ones are made, then their rows are multiplied by SQL.

An id of the n-th copy is made of the original's and n alone, so that references between tables, and between services, stay whole. What
was there before the purchases (events, classes, accounts of the ledger) is shared by all copies.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from local.postgres import PostgresServer

SERVICES = ("accounts", "inventory", "notifications", "orders", "payments", "tickets", "web")
# Texts that tell one row from another, or point at another one.
_OF_A_PERSON = ("email", "email_key", "request_key", "trace_id")
_OF_WORK = ("aggregate_id", "gateway_payment_id", "key", "message_id", "number", "order_number", "webhook_id")
OWN = frozenset((*_OF_A_PERSON, *_OF_WORK))
# What all purchases share, though the first one makes it.
SHARED = frozenset({"ledger_account", "outbox_stream"})
MOST_TEXT = 20
_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class FillingFailed(Exception):
    """A table could not be multiplied; the message says which."""


@dataclass
class Filling:
    """`begin`, then make purchases, then `multiply`."""

    postgres: PostgresServer
    _before: dict[str, dict[str, int]] = field(default_factory=dict)

    async def begin(self) -> None:
        """Notes what is there."""
        for service in SERVICES:
            connection = await self._connected(service)
            self._before[service] = await _counts(connection)
            await connection.close()

    async def multiply(self, copies: int) -> int:
        """As many copies of all that was made since; how many rows were written. Raises FillingFailed."""
        connection = await self._connected("inventory")
        kept = [str(row[0]) for row in await connection.fetch(_OF_CATALOG)]
        await connection.close()
        written = 0
        for service in SERVICES:
            connection = await self._connected(service)
            await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
            now = await _counts(connection)
            for table, count in now.items():
                if count > self._before[service][table] and table not in SHARED:
                    written += await _copied(connection, table, kept, copies)
            if service == "inventory":
                await connection.execute("UPDATE ticket_class SET sold = sold * $1", copies + 1)
            await connection.execute("VACUUM ANALYZE")
            await connection.close()
        return written

    async def sold(self) -> int:
        """Places that inventory has sold."""
        connection = await self._connected("inventory")
        found = int(await connection.fetchval("SELECT sum(sold) FROM ticket_class"))
        await connection.close()
        return found

    async def _connected(self, service: str) -> Any:
        return await asyncpg.connect(self.postgres.url(f"onsale_{service}"))


async def _counts(connection: Any) -> dict[str, int]:
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for (name,) in tables}  # noqa: S608


async def _copied(connection: Any, table: str, kept: list[str], copies: int) -> int:
    columns = await connection.fetch(_COLUMNS, table)
    names = ", ".join(f'"{each["column_name"]}"' for each in columns)
    values = ", ".join(_other(each["column_name"], each["data_type"]) for each in columns)
    before = await connection.fetchval(f'SELECT count(*) FROM "{table}"')  # noqa: S608
    said = await connection.execute(
        f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" AS t, generate_series(1, {copies}) AS n '  # noqa: S608
        f"WHERE $1::text[] IS NOT NULL ON CONFLICT DO NOTHING",
        kept,
        timeout=None,
    )
    written = int(re.findall(r"\d+", said)[-1])
    if written != before * copies:
        raise FillingFailed(
            f"{table}: {written} of {before * copies} rows could be copied; see which of its texts are unique."
        )
    return written


def _other(column: str, kind: str) -> str:
    """The value of a copy, as SQL: another id, unless it is one of catalog's; another text or hash where that tells rows apart."""
    value = f't."{column}"'
    if kind == "uuid":
        return f"CASE WHEN {value}::text = ANY($1) THEN {value} ELSE md5({value}::text || n)::uuid END"
    if kind == "bytea" and ("hash" in column or "digest" in column):
        return f"decode(md5(encode({value}, 'hex') || n) || md5(n || encode({value}, 'hex')), 'hex')"
    if column in OWN:
        other = f"CASE WHEN {value} ~ '{_UUID}' THEN md5({value} || n)::uuid::text ELSE left(md5({value} || n), {MOST_TEXT}) END"
        return f"CASE WHEN {value} = ANY($1) THEN {value} ELSE {other} END"
    return value


_OF_CATALOG = "SELECT event_id FROM event UNION SELECT class_id FROM ticket_class"
_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 AND identity_generation IS NULL AND is_generated = 'NEVER'
    ORDER BY ordinal_position
"""
