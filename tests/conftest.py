"""One running system for all tests of a session that ask for it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.system import System
from local.topology import Ports


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything, on free ports, with the sample events; its data is gone afterwards. Leave it as you found it."""
    with running_system() as running:
        yield running


@pytest.fixture(scope="session")
def system_on_hosts() -> Iterator[System]:
    """The same on three hosts: edge, shop and money. Leave the links between them well."""
    with running_system(hosts=3) as running:
        yield running


@contextmanager
def running_system(hosts: int = 0) -> Iterator[System]:
    """A system of its own."""
    with tempfile.TemporaryDirectory(prefix="onsale-system-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        running = System(data, Ports.free(), durable=False, hosts=hosts)
        try:
            running.start()
            yield running
        finally:
            running.stop()
            running.postgres.remove()
