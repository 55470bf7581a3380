"""Two kinds of tests: those that hold this repository against its contracts, and those that plant faults for the checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.tests.repositories import Repository

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not marked as an agreement of this repository tests the checks themselves."""
    for item in items:
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("agreement"):
            item.add_marker("planted")


@pytest.fixture(scope="session")
def only_repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Made once for all tests of a process."""
    return Repository.make(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def repository(only_repository: Repository) -> Iterator[Repository]:
    """A copy of this repository to do with as one likes."""
    yield only_repository
    only_repository.renew()
