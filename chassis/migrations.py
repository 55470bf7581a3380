"""Alembic, the same for every service: expand first, contract later, so that two versions can run side by side."""

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.settings import SHARED_PREFIX
from chassis.tables import NAMING_CONVENTION, add_chassis_tables

URL_OPTION = "onsale_url"
# A migration that waits for a lock makes everybody behind it wait as well: it gives up instead.
LOCK_TIMEOUT = "5s"
_MIGRATION_LOCK = 7_410_983


def migrate(migrations: Path, url: str) -> None:
    """Brings a database to the newest version in `migrations`. Waits for another migration of the same database to end."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes[URL_OPTION] = url
    command.upgrade(config, "head")


def run_migrations() -> None:
    """What every service's `migrations/env.py` calls."""
    asyncio.run(_run(context.config.attributes[URL_OPTION]))


async def _run(url: str) -> None:
    engine = engine_for(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def engine_for(url: str) -> AsyncEngine:
    """An engine of SQLAlchemy for `postgresql://...`, without a pool.

    The driver reads the address itself, as it does for services: SQLAlchemy would give it options of libpq (sslmode) that it
    takes in an address alone.
    """
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, address), poolclass=NullPool
    )


def _upgrade(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    # A login may have one for what people wait for (behind a pooler it must); an index takes as long as it takes.
    connection.execute(text("SET statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def create_chassis_tables(op: Operations | Any) -> None:
    """Creates the tables that the chassis keeps in every service's database."""
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    add_chassis_tables(metadata)
    metadata.create_all(op.get_bind())


def add_what_support_reads(op: Operations | Any) -> None:
    """Brings the chassis' tables of older databases to where `create_chassis_tables` makes them: facts are found by what they are about.

    Adds only, and nothing twice: a version that does not know the columns goes on beside it.
    """
    for statement in _WHAT_SUPPORT_READS:
        op.execute(statement)


def add_what_is_forgotten(op: Operations | Any) -> None:
    """Brings the chassis' tables of older databases to where the oldest rows are found (chassis/forgetting.py). Nobody waits."""
    add_index(op, "ix_idempotency_key_created_at", "idempotency_key (created_at)")
    add_index(op, "ix_work_attempt_begun_at", "work_attempt (begun_at)")


def add_check(op: Operations | Any, table: str, name: str, condition: str) -> None:
    """Adds `CHECK (condition)` to a table that may be large and in use: nobody waits while the rows that are there are read.

    Two transactions, hence outside of the migration's own; interrupted, it begins anew.
    """
    constraint = f"ck_{table}_{name}"
    with op.get_context().autocommit_block():
        op.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint},"
            f" ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID"
        )
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")


def add_index(op: Operations | Any, name: str, definition: str) -> None:
    """Adds an index to a table that may be large and in use: nobody who writes waits for it. `definition`: `table (columns) ...`.

    It waits itself until older transactions have ended, and holds nobody up meanwhile. Interrupted, it begins anew.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


def add_rule(op: Operations | Any, table: str, name: str, *, on: str, says: str, when: str = "true") -> None:
    """Lets the database refuse a change of a row: what no CHECK can say, since that does not know how the row was before.

    `on`: which change, as a trigger says it (`UPDATE OF state`); `when`: a condition on OLD and NEW, which costs a comparison;
    `says`: the sentence that whoever tries it reads.
    """
    sentence = says.replace("'", "''")
    op.execute(_REFUSE)
    op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    op.execute(
        f"CREATE TRIGGER {name} AFTER {on} ON {table} FOR EACH ROW WHEN ({when})"
        f" EXECUTE FUNCTION refuse_change('{sentence}')"
    )


def add_check_at_commit(
    op: Operations | Any, table: str, name: str, *, on: str, function: str, when: str = "true"
) -> None:
    """Lets `function`, which `CREATE OR REPLACE FUNCTION` has made, look at a changed row when the transaction commits.

    For what is true of several rows together, which statements of their own write one after the other.
    """
    op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {name} AFTER {on} ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({when})"
        f" EXECUTE FUNCTION {function}()"
    )


_REFUSE = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END $$
"""


_WHAT_SUPPORT_READS = (
    "ALTER TABLE inbox ADD COLUMN IF NOT EXISTS aggregate_id varchar(200)",
    "ALTER TABLE inbox ADD COLUMN IF NOT EXISTS delivery integer",
    "ALTER TABLE inbox ADD COLUMN IF NOT EXISTS traceparent varchar(55)",
    "ALTER TABLE dead_letter ADD COLUMN IF NOT EXISTS aggregate_id varchar(200)",
    "CREATE INDEX IF NOT EXISTS ix_outbox_aggregate_id ON outbox (aggregate_id)",
    "CREATE INDEX IF NOT EXISTS ix_inbox_aggregate_id ON inbox (aggregate_id)",
    "CREATE INDEX IF NOT EXISTS ix_dead_letter_aggregate_id ON dead_letter (aggregate_id)",
)


def urls_from_environment(service: str) -> list[str]:
    """The addresses of the service's database and of its further shards. Raises KeyError with a sentence if the first is not set."""
    name = f"{service.upper()}_DATABASE_URL"
    url = os.environ.get(name) or os.environ.get(f"{SHARED_PREFIX}DATABASE_URL")
    if not url:
        raise KeyError(f"Set {name} to the address of the database, e.g. postgresql://login:password@host:5432/name.")
    return [url, *json.loads(os.environ.get(f"{service.upper()}_SHARD_URLS") or "[]")]
