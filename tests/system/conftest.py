"""The system in which processes die."""

from collections.abc import Iterator

import pytest

from local.system import System
from local.temporary import temporary_system
from tests.books import assert_promises_hold

HASTE = {
    "orders": {
        "ORDERS_HOLD_TTL_SECONDS": "18",
        "ORDERS_PAYMENT_MARGIN_SECONDS": "2",
        "ORDERS_ABANDONED_AFTER_SECONDS": "2",
        "ORDERS_SAGA_EVERY_SECONDS": "0.2",
    },
    # A mail whose sender was killed stays its own for the rest of a lease: usually for longer than tests wait for the end of all.
    "notifications": {"NOTIFICATIONS_ATTEMPT_SECONDS": "8", "NOTIFICATIONS_LEASE_SECONDS": "10"},
}


@pytest.fixture(scope="session")
def fragile_system() -> Iterator[System]:
    """A system of their own for those whose processes die: its holds end soon, and its database survives its death."""
    with temporary_system(durable=True, environment=HASTE) as running:
        yield running
        assert_promises_hold(running)
