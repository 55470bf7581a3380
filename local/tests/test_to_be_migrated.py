"""A start migrates what is not at the newest migration, and asks the others for nothing more."""

from chassis.migrated import migrations_of, newest_migration
from chassis.testing import Harness
from local.provision import to_be_migrated
from local.topology import database_of

SERVICES = ("accounts", "payments")


async def test_only_databases_that_are_behind_are_migrated(harness: Harness) -> None:
    urls = {database_of(service): harness.database_url(service) for service in SERVICES}
    assert await to_be_migrated(urls.__getitem__, SERVICES) == []
    url = urls[database_of("payments")]
    newest = newest_migration(migrations_of("payments"))
    try:
        await harness.write(url, "UPDATE alembic_version SET version_num = '0001'")
        assert await to_be_migrated(urls.__getitem__, SERVICES) == ["payments"]
        await harness.write(url, "DELETE FROM alembic_version")
        assert await to_be_migrated(urls.__getitem__, SERVICES) == ["payments"]
    finally:
        # The next test that is lent this database finds it as it was.
        again = f"INSERT INTO alembic_version (version_num) VALUES ('{newest}')"  # noqa: S608  # a file's number
        await harness.write(url, "DELETE FROM alembic_version", again)


async def test_a_database_in_which_nothing_was_made_is_migrated(harness: Harness) -> None:
    url = harness.database_url("accounts").rpartition("/")[0] + "/postgres"
    assert await to_be_migrated(lambda _: url, ["accounts"]) == ["accounts"]
