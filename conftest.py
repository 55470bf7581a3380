"""For all tests: those marked `browser` need a Chromium. Without one they are skipped, in CI that is a failure."""

import gc
import importlib
import os
from functools import cache
from typing import Any

import pytest

from local.chromium import missing_chromium


def pytest_configure(config: pytest.Config) -> None:
    """What holds for all tests of this process."""
    _prepare_hypothesis(config)
    _read_certificates_once()


def _prepare_hypothesis(config: pytest.Config) -> None:
    """Imports now what hypothesis' plugin imports at the end of every run.

    By then there is garbage, and what is collected while Python 3.11 compiles can end the run with "AST constructor recursion
    depth mismatch" (seen after runs in which no test had imported it).
    """
    if config.pluginmanager.has_plugin("hypothesispytest"):
        importlib.import_module("hypothesis.internal.observability")
        # By itself an example that takes more than 200 ms fails: on a busy machine any one of them may.
        settings: Any = importlib.import_module("hypothesis").settings
        settings.register_profile("onsale", deadline=None)
        settings.load_profile("onsale")


def _read_certificates_once() -> None:
    """Clients of the same settings share what they trust: httpx reads some hundred certificates for each, 40 ms of the processor."""
    module: Any = importlib.import_module("httpx._transports.default")
    module.create_ssl_context = cache(module.create_ssl_context)


def pytest_unconfigure() -> None:
    """Spares the garbage collections with which Python ends: of all that tests have imported they take most of a second."""
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips or fails what cannot run here."""
    if item.get_closest_marker("browser") is None or (reason := missing_chromium()) is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
