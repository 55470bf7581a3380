"""Places are held only while their class is on sale; a sale that begins later begins by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.inventory.tests.integration.conftest import SEATS, Shop

AHEAD = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
PAST = AHEAD - timedelta(days=6)


async def publish(shop: Shop, **sale: Any) -> None:
    """The event again, each class with this sale."""
    classes = [
        {"class_id": str(shop.standing), "name": "Standing", "kind": "general", "capacity": 10},
        {"class_id": str(shop.stalls), "name": "Stalls", "kind": "seated", "capacity": len(SEATS)},
    ]
    times = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in sale.items()}
    event = {"event_id": str(shop.event_id), "title": "Hamlet, again", "starts_at": "2027-01-01T19:00:00Z"}
    event["classes"] = [each | times for each in classes]  # type: ignore[assignment]  # the only value that is no text
    await shop.harness.tell("events.catalog.event_published.v1", event, aggregate_id=str(shop.event_id))

    async def is_known() -> bool:
        (row,) = await shop.rows("SELECT title FROM event")
        return bool(row["title"] == "Hamlet, again")

    await shop.harness.eventually(is_known)


@pytest.mark.parametrize(
    ("sale", "begins_at"),
    [
        ({"obstacle": "cancelled"}, None),
        ({"obstacle": "sold_out", "sale_begins_at": AHEAD}, None),
        ({"sale_begins_at": AHEAD}, AHEAD),
        ({"sale_ends_at": PAST}, None),
    ],
    ids=["cancelled", "sold out elsewhere", "not yet", "no longer"],
)
async def test_places_that_are_not_on_sale_cannot_be_held(
    shop: Shop, sale: dict[str, Any], begins_at: datetime | None
) -> None:
    await publish(shop, **sale)
    for class_id, refused in (
        (shop.standing, await shop.hold(standing=1)),
        (shop.stalls, await shop.hold(seats=["A1"])),
    ):
        problem = refused.json()
        assert (refused.status_code, problem["code"], problem["class_id"]) == (409, "not_on_sale", str(class_id))
        begins = problem["begins_at"]
        assert (datetime.fromisoformat(begins) if begins else None) == begins_at
    assert await shop.left() == {"standing": 10, "stalls": 6}


async def test_within_its_dates_a_class_is_sold(shop: Shop) -> None:
    await publish(shop, sale_begins_at=PAST, sale_ends_at=AHEAD)
    assert (await shop.hold(standing=1, seats=["A1"])).status_code == 201


async def test_a_sale_begins_by_itself_when_its_time_has_come(shop: Shop) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    await publish(shop, sale_begins_at=soon)

    async def is_sold() -> bool:
        return (await shop.hold(standing=1)).status_code == 201

    await shop.harness.eventually(is_sold)
    assert datetime.now(UTC) >= soon


async def test_what_is_held_can_be_sold_although_the_sale_has_ended_since(shop: Shop) -> None:
    held = (await shop.hold(standing=2, seats=["A1"])).json()
    await publish(shop, sale_ends_at=PAST)
    assert (await shop.end(held["hold_id"], "commit")).json()["state"] == "committed"
