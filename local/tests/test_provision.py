"""One database and one login per service, and nobody else's login is let in."""

import asyncio
import itertools
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from local.postgres import PostgresServer
from local.processes import LOOPBACK
from local.provision import make_databases, make_keys, make_secrets
from local.topology import SERVICES, Layout, Secrets, database_of


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, Secrets]]:
    secrets = make_secrets(Layout(tmp_path_factory.mktemp("data")))
    with PostgresServer(durable=False) as server:
        assert asyncio.run(make_databases(server.url(), secrets.databases)) == list(SERVICES)
        yield server, secrets


async def log_in(server: PostgresServer, secrets: Secrets, service: str, database: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=LOOPBACK,
        port=server.port,
        user=database_of(service),
        password=secrets.databases[service],
        database=database,
        timeout=5,
    )


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_can_make_tables_in_its_own_database(
    provisioned: tuple[PostgresServer, Secrets], service: str
) -> None:
    connection = await log_in(*provisioned, service, database_of(service))
    await connection.execute("CREATE TABLE mine (id int); DROP TABLE mine")
    powerful = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert await connection.fetchval(powerful) is False
    await connection.close()


async def test_a_password_is_taken_as_it_is_whatever_it_holds(provisioned: tuple[PostgresServer, Secrets]) -> None:
    server, secrets = provisioned
    odd = "it's \\ odd"
    await make_databases(server.url(), {"orders": odd})
    connection = await asyncpg.connect(
        host=LOOPBACK, port=server.port, user=database_of("orders"), password=odd, database=database_of("orders")
    )
    await connection.close()
    await make_databases(server.url(), {"orders": secrets.databases["orders"]})


@pytest.mark.parametrize(("service", "other"), itertools.permutations(SERVICES, 2))
async def test_anothers_database_refuses_the_login(
    provisioned: tuple[PostgresServer, Secrets], service: str, other: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await log_in(*provisioned, service, database_of(other))


@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_the_servers_own_databases_refuse_services(
    provisioned: tuple[PostgresServer, Secrets], database: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await log_in(*provisioned, "orders", database)


async def test_provisioning_again_changes_nothing(provisioned: tuple[PostgresServer, Secrets]) -> None:
    server, secrets = provisioned
    assert await make_databases(server.url(), secrets.databases) == []
    await (await log_in(server, secrets, "orders", database_of("orders"))).close()


def test_secrets_and_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    first = make_secrets(layout)
    make_keys(layout)
    before = {file: file.read_bytes() for file in layout.keys.glob("*.pem")}
    assert make_secrets(layout) == first
    make_keys(layout)
    assert {file: file.read_bytes() for file in layout.keys.glob("*.pem")} == before
    for file in [layout.folder / "secrets.json", *before]:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    published = json.loads((layout.keys / "services.jwks.json").read_text())["keys"]
    assert [key["kid"] for key in published] == list(SERVICES)
    assert not any("d" in key for key in published)
