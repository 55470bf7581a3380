"""Fills a service's database with as many rows as years bring, within seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

ORDERS = 1_000_000
EVENTS = 100_000
# From so many rows on a table is big: a plan that reads all of it is refused.
BIG = 10_000
OF_THE_CHASSIS = 20_000


@dataclass(frozen=True)
class Filled:
    """A table with so many rows; `columns` are SQL expressions over `n`, which counts them from `first` on."""

    table: str
    rows: int
    columns: Mapping[str, str]
    first: int = 1

    @property
    def statement(self) -> str:
        """The INSERT."""
        last = self.first + self.rows - 1
        return (
            f"INSERT INTO {self.table} ({', '.join(self.columns)}) SELECT {', '.join(self.columns.values())}"  # noqa: S608
            f" FROM generate_series(CAST({self.first} AS bigint), {last}) AS n"
        )


@dataclass(frozen=True)
class Grown:
    """A service's database after years. `small`: the tables that never become big, and why not."""

    filled: Sequence[Filled]
    small: Mapping[str, str] = field(default_factory=dict)


def uid(kind: int, number: str) -> str:
    """SQL of an id that grows with `number`, as those do that are made of the time; `kind` keeps those of things apart."""
    return f"CAST(lpad(to_hex({number}), 8, '0') || '-0000-7000-8000-{kind:012x}' AS uuid)"


def uid_of(kind: int, number: int) -> str:
    """The same id in an address."""
    return f"{number:08x}-0000-7000-8000-{kind:012x}"


SMALL_OF_THE_CHASSIS = {
    "outbox_stream": "A row for each stream.",
    "dead_letter": "Somebody looks at each of them.",
}


def of_the_chassis(about: str) -> list[Filled]:
    """Rows of the tables that every service has; facts are about `about`, an SQL expression."""
    rows = OF_THE_CHASSIS
    # Days, not months: none of them is old enough to be forgotten.
    past = f"now() - ({rows} - n) * interval '20 seconds'"
    outbox = {
        "event_id": uid(0xE1, "n"),
        "subject": "'events.sample.thing_made.v1'",
        "aggregate_id": f"CAST({about} AS text)",
        "data": "'{}'",
        "created_at": past,
        "published_at": past,
        "publications": "1",
        "stream_seq": "n",
    }
    inbox = {
        # Databases of tests are called after their service, as its consumer is.
        "consumer": "split_part(current_database(), '_', 1)",
        "event_id": uid(0xE2, "n"),
        "subject": "'events.sample.thing_made.v1'",
        "received_at": past,
        "aggregate_id": f"CAST({about} AS text)",
        "delivery": "1",
    }
    keys = {
        "principal": "'principal ' || n % 9973",
        "route": "'POST /orders'",
        "key": "'key ' || n",
        "request_hash": "'\\x00'",
        "status": "201",
        "response": "'{}'",
        "leased_until": past,
        "created_at": past,
    }
    attempts = {
        "queue": "'sample'",
        "key": f"CAST({about} AS text)",
        "fence": "n",
        "attempt": "1",
        "begun_at": past,
        "ended_at": past,
        "outcome": "'sent'",
    }
    tables = {"outbox": outbox, "inbox": inbox, "idempotency_key": keys, "work_attempt": attempts}
    return [Filled(table, rows, columns) for table, columns in tables.items()]


async def fill(url: str, grown: Grown) -> None:
    """Writes the rows as one restores a database: without triggers, and indexes are built when all rows are there."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        await connection.execute("SET max_parallel_maintenance_workers = 1")
        for each in grown.filled:
            await connection.execute(_INDEXES_REST, each.table)
            await connection.execute(each.statement)
        for table in dict.fromkeys(each.table for each in grown.filled):
            await connection.execute(f"REINDEX TABLE {table}")
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


# Until REINDEX builds them anew, none of the table's indexes takes a row.
_INDEXES_REST = "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = CAST($1::text AS regclass)"
