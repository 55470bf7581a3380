"""For all tests: those marked `browser` need a Chromium. Without one they are skipped, in CI that is a failure."""

import os

import pytest

from local.chromium import missing_chromium


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips or fails what cannot run here."""
    if item.get_closest_marker("browser") is None or (reason := missing_chromium()) is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
