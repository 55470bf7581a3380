"""What web reads in the bus messages of inventory: which seats and classes of an open seat map changed."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from contracts import matchers
from contracts.consumer import Watching, an_id, watches
from contracts.demanded import refuse_unread
from services.web.browsing.event_rooms import EventRooms, PlacesChanged
from services.web.tests.contract.listening import NotingShop

inventory = watches("web", "inventory")

SUBJECT = "bus.inventory.places_changed"


async def hear(body: bytes, event_id: UUID) -> PlacesChanged:
    """Hands the message to web's real listener; returns what it read."""
    shop = NotingShop()
    payload = orjson.loads(body)
    refuse_unread(payload, PlacesChanged, SUBJECT)
    await EventRooms(shop).on_places_changed(f"{SUBJECT}.{event_id}", payload)
    assert shop.forgotten == [event_id]
    return PlacesChanged.model_validate(payload)


@pytest.mark.parametrize("state", ["free", "held", "sold"])
async def test_seats_change_on_open_maps(inventory: Watching, state: str) -> None:
    event_id, class_id = an_id(f"web watches inventory: event, {state}"), an_id("web watches inventory: stalls")
    seat = {"seat_id": matchers.text("A1"), "state": state}
    payload: dict[str, Any] = {
        "event_id": matchers.identifier(event_id),
        "seats": matchers.several(seat),
        "classes": matchers.several(matchers.identifier(class_id)),
    }
    with inventory.said(SUBJECT, payload, flavour=f"of seats that are {state}") as body:
        (change,) = (await hear(body, event_id)).seats
        assert (change.seat_id, change.state) == ("A1", state)


async def test_places_of_general_admission_change(inventory: Watching) -> None:
    event_id, class_id = an_id("web watches inventory: event, places"), an_id("web watches inventory: standing")
    payload: dict[str, Any] = {
        "event_id": matchers.identifier(event_id),
        "seats": [],
        "classes": matchers.several(matchers.identifier(class_id)),
    }
    with inventory.said(SUBJECT, payload, flavour="of places") as body:
        assert (await hear(body, event_id)).classes == [class_id]
