"""One running system for all tests of a session that ask for it."""

from collections.abc import Iterator

import pytest

from local.system import System
from local.temporary import temporary_system

# Many tests load an event and buy it: they need not wait until catalog looks by itself for what the loader wrote.
SOON_PUBLISHED = {"catalog": {"CATALOG_OUTBOX_POLL_SECONDS": "0.2"}}


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything, with the sample events. Leave it as you found it."""
    with temporary_system(environment=SOON_PUBLISHED) as running:
        yield running
