"""A running `tickets`."""

from collections.abc import AsyncIterator

import pytest

from chassis.testing import Harness, RunningApp
from services.tickets.app import create_app
from services.tickets.settings import TicketsSettings


@pytest.fixture
def settings(harness: Harness) -> TicketsSettings:
    """Settings with a key and a database of their own; nobody is at accounts."""
    return harness.settings(
        TicketsSettings, signing_key_file=harness.keys.key_file("tickets"), accounts_url="http://127.0.0.1:9"
    )


@pytest.fixture
async def running(harness: Harness, settings: TicketsSettings) -> AsyncIterator[RunningApp]:
    """The service, started."""
    async with harness.running(create_app, settings) as app:
        yield app
