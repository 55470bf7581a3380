"""One running system for all tests of a session that ask for it."""

from collections.abc import Iterator

import pytest

from local.system import System
from local.temporary import temporary_system


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything, with the sample events. Leave it as you found it."""
    with temporary_system() as running:
        yield running
