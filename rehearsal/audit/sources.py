"""Where the auditor looks: the databases of a running system, or of one that was stopped, and the bank's ledger."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from local.errors import StartError
from local.lock import FolderLock
from local.nats import ADMIN
from local.postgres import PostgresServer
from local.provision import make_secrets
from local.running import Running
from local.system import System
from local.topology import MOST_SHARDS, Layout, Ports, nats_url, shards_of


@dataclass(frozen=True)
class Sources:
    """Everything that is read. `nats` is None when no broker runs: then inboxes alone say what was heard.

    `is_stopped`: nothing goes on by itself, so nobody waits for it, and nothing is late.
    """

    url_of_database: Callable[[str], str] = field(repr=False)  # the addresses hold a password
    ledger: Path
    nats: str | None = field(default=None, repr=False)
    is_stopped: bool = False

    @classmethod
    def of(cls, system: System) -> "Sources":
        """Of a system that this process runs."""
        nats = system.nats.url(ADMIN) if system.nats is not None else None
        return cls(lambda name: system.postgres.url(database=name), system.layout.books, nats)

    @classmethod
    def running(cls, data: Path) -> "Sources":
        """Of the system that `make up` runs on that folder. Raises StartError if none does."""
        found = Running.find(data)
        postgres = PostgresServer(found.data / "postgres", found.ports["postgres"])
        postgres.find_password()
        nats = nats_url(ADMIN, Ports(found.ports), make_secrets(Layout(found.data)))
        return cls(lambda name: postgres.url(database=name), Layout(found.data).books, nats)

    @classmethod
    def elsewhere(cls, postgres: str, ledger: Path) -> "Sources":
        """Of a system on one server of Postgres, which `postgres` names with a login that may read all of its databases."""
        return cls(lambda name: urlsplit(postgres)._replace(path=f"/{name}").geturl(), ledger)

    @classmethod
    @contextlib.contextmanager
    def found(cls, data: Path) -> Iterator["Sources"]:
        """Of the system on that folder, running or not. Of a stopped one, Postgres alone is started for as long.

        Raises StartError if there is none, or if it cannot be looked at.
        """
        layout = Layout(data.absolute())
        if Running.is_there(data) or not (layout.folder / "postgres").exists():
            yield cls.running(data)
            return
        lock = FolderLock(layout.folder)
        lock.take()
        try:
            with PostgresServer(layout.folder / "postgres") as postgres:
                yield cls(lambda name: postgres.url(database=name), layout.books, is_stopped=True)
        finally:
            lock.release()

    def check(self) -> None:
        """Raises StartError if the bank's ledger is not where it should be."""
        if not self.ledger.exists():
            raise StartError(
                f"The bank's ledger {self.ledger} is missing: start the system once with make up, or copy it here."
            )


async def databases_of(sources: Sources, service: str) -> list[str]:
    """The databases of a service that are there: one, or one for each shard. Raises asyncpg's errors."""
    connection = await asyncpg.connect(sources.url_of_database("postgres"))
    try:
        wanted = shards_of(service, MOST_SHARDS)
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE datname = ANY($1)", wanted)
        return sorted(row["datname"] for row in rows)
    finally:
        await connection.close()
