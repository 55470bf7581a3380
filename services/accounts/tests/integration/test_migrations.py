"""The migrations make what `tables.py` says."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.testing import Harness
from services.accounts.tables import Table


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    return list(compare_metadata(context, Table.metadata))


async def test_the_migrated_database_is_what_the_tables_say(harness: Harness) -> None:
    engine = create_async_engine(make_url(harness.database_url("accounts")).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert [each for each in found if "alembic_version" not in str(each)] == []
