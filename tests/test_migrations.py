"""For each service, the migrations make what `tables.py` says: types, keys, indexes and the constraints that hold the promises."""

from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, MetaData, text

from chassis.migrations import engine_for
from chassis.testing import Harness
from local.topology import SERVICES

CHECKS = """
    SELECT conrelid::regclass::text AS place, conname FROM pg_constraint
    WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0
"""


def differences(connection: Connection, metadata: MetaData) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
    found = [str(each) for each in compare_metadata(context, metadata)]
    # Alembic does not compare checks, and those are what keeps N at N.
    there = {(row.place.strip('"'), row.conname) for row in connection.execute(text(CHECKS))}
    said = {
        (table.name, str(check.name))
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    found += [f"check {name} of {place} is only in tables.py" for place, name in sorted(said - there)]
    found += [f"check {name} of {place} is only in the database" for place, name in sorted(there - said)]
    return [each for each in found if "alembic_version" not in each]


@pytest.mark.parametrize("service", sorted(SERVICES))
async def test_the_migrated_database_is_what_the_tables_say(harness: Harness, service: str) -> None:
    metadata: MetaData = import_module(f"services.{service}.tables").Table.metadata
    engine = engine_for(harness.database_url(service))
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(differences, metadata)
    finally:
        await engine.dispose()
    assert found == []
