"""Each login x each database and each thing in it: connect, read, write, make; a real server with all services' real tables is asked.

Who may what is one sentence: a login has its own database, and nothing else. A new service, database or login is red until
it is provisioned.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from chassis.migrated import migrations_of
from chassis.migrations import migrate
from local.postgres import CONNECTIONS, SETTINGS, SUPERUSER, PostgresServer
from local.provision import make_databases
from local.topology import SERVICES, database_of

PASSWORDS = {service: f"word-of-{service}" for service in SERVICES}
LOGINS = {database_of(service): service for service in SERVICES}
THE_SERVERS_OWN = ("postgres", "template0", "template1")
# Connections for people, and for the program that makes databases.
RESERVE = 30


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=False) as running:
        asyncio.run(make_databases(running.url(), PASSWORDS))
        for service in SERVICES:
            migrate(migrations_of(service), url(running, service))
        yield running


def url(server: PostgresServer, service: str, database: str | None = None) -> str:
    return server.url(database or database_of(service), database_of(service), PASSWORDS[service])


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(address, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def test_there_is_one_login_and_one_database_of_each_service_and_none_else(server: PostgresServer) -> None:
    async with connected(server.url()) as people:
        logins = await people.fetch("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> $1", SUPERUSER)
        databases = await people.fetch("SELECT datname FROM pg_database WHERE datname <> ALL($1)", THE_SERVERS_OWN)
        owners = await people.fetch("SELECT datname, datdba::regrole::text AS owner FROM pg_database")
    assert {row["rolname"] for row in logins} == {row["datname"] for row in databases} == set(LOGINS)
    assert {row["datname"]: row["owner"] for row in owners} == {
        **{name: name for name in LOGINS},
        **dict.fromkeys(THE_SERVERS_OWN, SUPERUSER),
    }


@pytest.mark.parametrize("service", SERVICES)
async def test_a_login_opens_its_own_database_and_no_other(server: PostgresServer, service: str) -> None:
    opened = []
    for database in (*LOGINS, *THE_SERVERS_OWN):
        try:
            async with connected(url(server, service, database)):
                opened.append(database)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError):
            continue
    assert opened == [database_of(service)]


_THINGS = """
    SELECT kind, name, login, right_, CASE kind
        WHEN 'table' THEN has_table_privilege(login, id, right_)
        WHEN 'sequence' THEN has_sequence_privilege(login, id, right_)
        WHEN 'schema' THEN has_schema_privilege(login, id, right_)
    END AS may
    FROM (
        SELECT 'table' AS kind, oid AS id, relname AS name, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
            'TRIGGER']) AS right_ FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'sequence', oid, relname, unnest(ARRAY['SELECT', 'USAGE', 'UPDATE']) FROM pg_class
        WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'schema', oid, nspname, 'CREATE' FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
    ) AS thing, unnest($1::text[]) AS login
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_in_a_database_is_its_own_logins_alone(server: PostgresServer, service: str) -> None:
    own = database_of(service)
    async with connected(server.url(own)) as people:
        rows = await people.fetch(_THINGS, list(LOGINS))
    wrong = [
        f"{row['login']} {'may' if row['may'] else 'may not'} {row['right_']} {row['name']}"
        for row in rows
        if row["may"] is not (row["login"] == own and row["name"] != "information_schema")
    ]
    assert {row["name"] for row in rows if row["kind"] == "table"} >= {"outbox", "inbox", "alembic_version"}
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_login_has_no_power_over_the_server(server: PostgresServer, service: str) -> None:
    async with connected(url(server, service)) as connection:
        for forbidden in (
            "CREATE DATABASE mine",
            "CREATE ROLE mine",
            "SELECT pg_read_file('postgresql.conf')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "ALTER SYSTEM SET max_connections = 1",
            "SET ROLE postgres",
            f"ALTER ROLE {database_of(service)} CONNECTION LIMIT -1",
            "CREATE EXTENSION dblink",
        ):
            with pytest.raises(asyncpg.PostgresError, match=r"permission denied|must be|Only roles"):
                await connection.execute(forbidden)
        powers = await connection.fetchrow(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        member = (
            "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')"
        )
        # The owner of a database is a member of this role, which has no rights beyond the database.
        assert {row["rolname"] for row in await connection.fetch(member)} <= {"pg_database_owner"}
    assert powers is not None
    assert not any(powers)


async def test_one_login_cannot_take_the_connections_of_the_others(server: PostgresServer) -> None:
    taken = [await asyncpg.connect(url(server, "orders")) for _ in range(CONNECTIONS)]
    try:
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await asyncpg.connect(url(server, "orders"))
        async with connected(url(server, "web")) as other:
            assert await other.fetchval("SELECT 1") == 1
    finally:
        for connection in taken:
            await connection.close()


def test_all_logins_together_leave_some_connections_for_people() -> None:
    assert len(SERVICES) * CONNECTIONS + RESERVE <= int(SETTINGS["max_connections"])
