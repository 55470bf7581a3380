"""A pytest plugin: the servers on which tests run.

One Postgres for the whole run (also with pytest-xdist), unless the environment names one; a NATS server for each test that asks for
it, which starts in milliseconds.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.testing_databases import POSTGRES_VARIABLE
from local.nats import NatsServer
from local.postgres import PostgresServer
from local.provision import make_stream

# The folder in a NATS server's store that JetStream fills.
JETSTREAM = "jetstream"

_postgres: PostgresServer | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Remembers in which process the servers live: the one that is not a worker of pytest-xdist."""
    config.stash[_IS_WORKER] = hasattr(config, "workerinput")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Starts Postgres once, before the workers are started; they find it in the environment. A single process reads tests meanwhile."""
    global _postgres
    wanted = not session.config.option.collectonly and not session.config.stash[_IS_WORKER]
    if wanted and POSTGRES_VARIABLE not in os.environ:
        _postgres = PostgresServer(durable=False)
        pool = ThreadPoolExecutor(1)
        session.config.stash[_STARTING] = pool.submit(_postgres.start)
        pool.shutdown(wait=False)
        if session.config.pluginmanager.has_plugin(_DISTRIBUTING):
            _wait_for_postgres(session.config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """No test runs before Postgres does."""
    _wait_for_postgres(session.config)


def _wait_for_postgres(config: pytest.Config) -> None:
    starting = config.stash.get(_STARTING, None)
    if starting is not None and _postgres is not None:
        starting.result()
        os.environ[POSTGRES_VARIABLE] = _postgres.url()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the Postgres that this process started."""
    global _postgres
    if _postgres is not None:
        futures.wait([config.stash[_STARTING]])
        _postgres.stop()
        os.environ.pop(POSTGRES_VARIABLE, None)
        _postgres = None


_IS_WORKER = pytest.StashKey[bool]()
_STARTING = pytest.StashKey["futures.Future[None]"]()
# The plugin of pytest-xdist in the process that starts workers.
_DISTRIBUTING = "dsession"


@pytest.fixture(scope="session")
def empty_firehose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a NATS server keeps of an empty firehose and each service's consumer of it: to make them costs more than to copy them."""
    store = tmp_path_factory.mktemp("firehose")
    with NatsServer(store) as server:
        asyncio.run(make_stream(server.url()))
    return store / JETSTREAM


@pytest.fixture
def nats_url(empty_firehose: Path) -> Iterator[str]:
    """A NATS server of this test's own, with an empty firehose and each service's consumer of it."""
    server = NatsServer()
    shutil.copytree(empty_firehose, server.store_dir / JETSTREAM)
    with server:
        yield server.url()
