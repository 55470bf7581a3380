"""Inventory's facts are what their consumers need."""

from datetime import UTC, datetime
from uuid import uuid4

from contracts.provider import encoded, verify_facts
from services.inventory.events import HoldExpired


def a_hold_expired() -> HoldExpired:
    return HoldExpired(
        hold_id=uuid4(), event_id=uuid4(), order_id=uuid4(), expired_at=datetime(2031, 6, 21, 18, tzinfo=UTC)
    )


async def test_inventory_tells_what_its_consumers_need() -> None:
    await verify_facts("inventory", hearers=["orders"], facts={HoldExpired.subject: encoded(a_hold_expired())})
