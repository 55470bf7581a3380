"""One running system for all tests of a session that ask for it; with ONSALE_WAY=monolith its services are one process."""

import os
from collections.abc import Iterator

import pytest

from local.system import System
from local.temporary import temporary_system
from local.topology import SERVICES
from tests.books import assert_promises_hold

# Pages notice a dead connection after a few heartbeats that did not come.
NEVER_SILENT = {"web": {"WEB_HEARTBEAT_SECONDS": "2"}}
# Many tests load an event and buy it: they need not wait until catalog looks by itself for what the loader wrote.
SOON_PUBLISHED = {"catalog": {"CATALOG_OUTBOX_POLL_SECONDS": "0.2"}}

WAYS = ("services", "monolith")


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything, with the sample events. Leave it as you found it: at the end the auditor looks at what was sold."""
    way = os.environ.get("ONSALE_WAY", "services")
    if way not in WAYS:
        pytest.exit(f"WAY={way}: there is no such way to run the services. There are {', '.join(WAYS)}.", returncode=2)
    together = tuple(SERVICES) if way == "monolith" else ()
    with temporary_system(environment=SOON_PUBLISHED | NEVER_SILENT, together=together) as running:
        yield running
        assert_promises_hold(running)
