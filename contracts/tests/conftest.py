"""Two kinds of tests: those that hold this repository against its contracts, and those that plant faults for the checks."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is not marked as an agreement of this repository tests the checks themselves."""
    for item in items:
        if item.path.is_relative_to(HERE) and not item.get_closest_marker("agreement"):
            item.add_marker("planted")
