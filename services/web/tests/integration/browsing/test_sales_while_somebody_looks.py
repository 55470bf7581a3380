"""Sales that begin and end, and events that change, while somebody looks: open seat maps hear of them as of seats."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.aio.client import Client

from services.web.browsing import event_rooms
from services.web.tests.integration.conftest import Stage
from services.web.tests.neighbours import later, sample_class, sample_event, sample_seat_map

# Until a sale begins or ends: long enough for a busy machine to have the page open before.
SOON = 5
PREMIUM = [0, 1, 2, 3, 4, 5]


def seats_on_sale(stage: Stage, **premium: Any) -> UUID:
    """Three rows of six; the first is Premium."""
    seat_map = sample_seat_map()
    classes = [sample_class("Standard", "seated", 2000), sample_class("Premium", "seated", 3000) | premium]
    return stage.neighbours.add_event(sample_event("Seats", classes, seat_map), seat_map)


async def change_class(stage: Stage, event_id: UUID, name: str, **changes: Any) -> None:
    """The organiser changes a class, and catalog says so."""
    event = stage.neighbours.events[str(event_id)]
    event["classes"] = [one | changes if one["name"] == name else one for one in event["classes"]]
    await stage.harness.tell("events.catalog.event_published.v1", {"event_id": str(event_id), "title": event["title"]})


@asynccontextmanager
async def busy(stage: Stage, event_id: UUID, seats: list[str], classes: list[str]) -> AsyncIterator[None]:
    """Somebody takes and gives back something of the event all the time."""

    async def change(client: Client) -> None:
        for number in range(400):
            changes = [{"seat_id": seat, "state": ("held", "free")[number % 2]} for seat in seats]
            message = {"event_id": str(event_id), "seats": changes, "classes": classes}
            await client.publish(f"bus.inventory.places_changed.{event_id}", json.dumps(message).encode())
            # The pace of a hot event: nothing is waited for.
            await asyncio.sleep(0.05)

    client = await nats.connect(stage.harness.nats_url)
    changing = asyncio.create_task(change(client))
    try:
        yield
    finally:
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)
        await client.close()


async def until_shown(heard: "asyncio.Queue[tuple[str, Any]]", state: str, seats: list[int]) -> None:
    """Waits until all these seats were sent as being so, after each other or at once."""
    missing = set(seats)
    async with asyncio.timeout(20):
        while missing:
            _, sent = await heard.get()
            missing -= set(sent.get(state, []))


async def test_seats_whose_sale_begins_are_free_at_once_on_a_busy_event(stage: Stage) -> None:
    event_id = seats_on_sale(stage, sale_begins_at=later(seconds=SOON))
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        _, snapshot = await heard.get()
        assert snapshot["sold"] == PREMIUM
        async with busy(stage, event_id, ["0-1-0"], []):
            await until_shown(heard, "free", PREMIUM)


async def test_seats_whose_sale_ends_cannot_be_chosen_on_a_busy_event(stage: Stage) -> None:
    event_id = seats_on_sale(stage, sale_ends_at=later(seconds=SOON))
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        _, snapshot = await heard.get()
        assert "sold" not in snapshot or not set(snapshot["sold"]) & set(PREMIUM)
        async with busy(stage, event_id, ["0-1-0"], []):
            await until_shown(heard, "sold", PREMIUM)


async def test_what_the_bus_lost_is_shown_although_it_is_never_silent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_rooms, "COMPARE_SECONDS", 2.0)
    event_id = seats_on_sale(stage)
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        await heard.get()
        stage.neighbours.taken[str(event_id)]["0-2-0"] = "sold"
        async with busy(stage, event_id, ["0-1-0"], []):
            await until_shown(heard, "sold", [12])


async def test_places_whose_sale_begins_can_be_chosen_although_their_number_stays(stage: Stage) -> None:
    classes = [sample_class("Day", "general", 6900), sample_class("Late", "general", 5900)]
    classes[1]["sale_begins_at"] = later(seconds=SOON)
    event_id = stage.neighbours.add_event(sample_event("Lakeside", classes, image="festival"))
    day, late = (str(one["class_id"]) for one in classes)
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        _, snapshot = await heard.get()
        assert (snapshot["places"][day]["most"], snapshot["places"][late]["most"]) == (8, 0)
        async with busy(stage, event_id, [], [day]), asyncio.timeout(20):
            while (place := (await heard.get())[1]["places"].get(late)) is None:
                pass
            assert place == {"most": 8, "words": "Available"}


async def test_a_class_that_the_organiser_opens_is_free_on_open_seat_maps(stage: Stage) -> None:
    event_id = seats_on_sale(stage, sale_begins_at=later(days=3))
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        assert (await heard.get())[1]["sold"] == PREMIUM
        await change_class(stage, event_id, "Premium", sale_begins_at=None)
        async with busy(stage, event_id, ["0-0-0"], []):
            await until_shown(heard, "free", PREMIUM)


async def test_a_cancelled_event_has_no_free_seats_on_open_seat_maps(stage: Stage) -> None:
    event_id = seats_on_sale(stage)
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        await heard.get()
        for name in ("Premium", "Standard"):
            await change_class(stage, event_id, name, obstacle="cancelled")
        async with busy(stage, event_id, ["0-0-0"], []):
            await until_shown(heard, "sold", list(range(1, 18)))


async def test_open_seat_maps_are_drawn_anew_when_the_house_is_another_one(stage: Stage) -> None:
    event_id = seats_on_sale(stage)
    async with stage.listening(await stage.browser(), f"/live/events/{event_id}") as heard:
        await heard.get()
        await change_class(stage, event_id, "Premium", price_minor=3500, obstacle="discontinued")
        async with busy(stage, event_id, ["0-1-0"], []), asyncio.timeout(20):
            while (sent := await heard.get())[0] != "snapshot":
                pass
            assert sent[1]["sold"] == PREMIUM
