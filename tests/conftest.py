"""One running system for all tests of a session that ask for it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.system import System
from local.topology import Ports


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything, on free ports, with the sample events; its data is gone afterwards. Leave it as you found it."""
    with tempfile.TemporaryDirectory(prefix="onsale-system-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        running = System(data, Ports.free(), durable=False)
        try:
            running.start()
            yield running
        finally:
            running.stop()
            running.postgres.remove()
