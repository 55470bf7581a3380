"""Holds over real Postgres: never more than there is, never the same seat twice, nothing lost."""

import asyncio
from uuid import uuid4

import pytest

from chassis.ids import uuid7
from chassis.testing import Harness
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings
from services.inventory.tests.integration.conftest import Shop, publish


async def test_a_hold_takes_places_away_at_once(shop: Shop) -> None:
    held = await shop.hold(standing=3, seats=["A1", "A2"])
    assert held.status_code == 201
    assert [line["seat_label"] for line in held.json()["lines"]] == [None, "Seat A1", "Seat A2"]
    assert await shop.left() == {"standing": 7, "stalls": 4}
    taken = (await shop.get("seats"))["taken"]
    assert taken == [{"seat_id": "A1", "state": "held"}, {"seat_id": "A2", "state": "held"}]


async def test_second_buyer_cannot_hold_a_held_seat(shop: Shop) -> None:
    await shop.hold(seats=["A1"])
    refused = await shop.hold(seats=["A1", "A2"])
    assert refused.status_code == 409
    assert refused.json()["code"] == "seats_taken"
    assert refused.json()["seat_ids"] == ["A1"]
    assert (await shop.left())["stalls"] == 5


async def test_more_than_is_left_is_refused_with_what_is_left(shop: Shop) -> None:
    await shop.hold(standing=8)
    refused = await shop.hold(standing=3)
    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["available"]) == ("sold_out", 2)


async def test_a_crowd_gets_exactly_what_there_is(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.hold(standing=1) for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [410] * 30
    assert await shop.rows("SELECT held, sold FROM ticket_class WHERE kind = 'general'") == [{"held": 10, "sold": 0}]


async def test_how_many_waited_at_once_is_shown_to_whoever_decides_how_many_serve(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(shop.hold(standing=1) for _ in range(40)))
    load = await shop.app.http.get("/load")
    assert load.json()["waiting"] > 1
    monkeypatch.setattr("services.inventory.granting.PEAK_SECONDS", 0.0)
    assert (await shop.app.http.get("/load")).json() == {"waiting": 0}


async def test_a_crowd_for_overlapping_seats_gets_each_seat_once(shop: Shop) -> None:
    pairs = [["A1", "A2"], ["A2", "A3"], ["A3", "A1"], ["B1", "B2"], ["B2", "B3"], ["B3", "A1"]] * 4
    answers = await asyncio.gather(*(shop.hold(seats=pair) for pair in pairs))
    granted = [line["seat_id"] for answer in answers if answer.status_code == 201 for line in answer.json()["lines"]]
    assert len(granted) == len(set(granted)) > 0
    assert {answer.status_code for answer in answers} == {201, 409}


async def test_two_processes_together_never_grant_more_than_there_is(
    shop: Shop, harness: Harness, inventory_settings: InventorySettings
) -> None:
    async with harness.running(create_app, inventory_settings) as other:
        beside = Shop(other, harness, shop.event_id, shop.standing, shop.stalls)
        answers = await asyncio.gather(*(each.hold(standing=1) for _ in range(15) for each in (shop, beside)))
    assert [answer.status_code for answer in answers].count(201) == 10


async def test_asking_again_with_the_same_id_gets_the_same_hold(shop: Shop) -> None:
    hold_id, order_id = uuid7(), uuid4()
    answers = await asyncio.gather(*(shop.hold(standing=2, hold_id=hold_id, order_id=order_id) for _ in range(5)))
    again = await shop.hold(standing=2, hold_id=hold_id, order_id=order_id)
    assert {answer.json()["expires_at"] for answer in [*answers, again]} == {again.json()["expires_at"]}
    assert again.status_code == 200
    assert (await shop.left())["standing"] == 8


async def test_the_same_id_for_other_places_is_refused(shop: Shop) -> None:
    hold_id = uuid7()
    await shop.hold(standing=2, hold_id=hold_id)
    assert (await shop.hold(standing=3, hold_id=hold_id)).json()["code"] == "hold_differs"


async def test_a_committed_hold_is_sold_once(shop: Shop) -> None:
    hold_id = (await shop.hold(standing=2, seats=["A1"])).json()["hold_id"]
    states = [(await shop.end(hold_id, "commit")).json()["state"] for _ in range(2)]
    assert states == ["committed", "committed"]
    assert await shop.rows("SELECT held, sold FROM ticket_class WHERE kind = 'general'") == [{"held": 0, "sold": 2}]
    assert (await shop.get("seats"))["taken"] == [{"seat_id": "A1", "state": "sold"}]


@pytest.mark.parametrize("first", ["nothing", "commit"])
async def test_released_places_come_back(shop: Shop, first: str) -> None:
    hold_id = (await shop.hold(standing=2, seats=["A1"])).json()["hold_id"]
    if first == "commit":
        await shop.end(hold_id, "commit")
    states = [(await shop.end(hold_id, "release")).json()["state"] for _ in range(2)]
    assert states == ["released", "released"]
    assert await shop.left() == {"standing": 10, "stalls": 6}


async def test_a_hold_that_was_released_before_it_arrived_is_never_granted(shop: Shop) -> None:
    hold_id = uuid7()
    assert (await shop.end(hold_id, "release")).json()["state"] == "released"
    late = await shop.hold(standing=1, hold_id=hold_id)
    assert (late.status_code, late.json()["code"]) == (410, "hold_gone")
    assert (await shop.left())["standing"] == 10


async def test_an_expired_hold_comes_back_by_itself_and_is_published(shop: Shop) -> None:
    held = (await shop.hold(standing=4, seats=["B1"], ttl_seconds=1)).json()
    fact = await shop.harness.heard("events.inventory.hold_expired.v1")
    assert fact["data"]["hold_id"] == held["hold_id"]
    assert fact["data"]["order_id"] == held["order_id"]
    assert await shop.left() == {"standing": 10, "stalls": 6}


async def test_expiry_does_not_need_the_sweeper(harness: Harness) -> None:
    settings = harness.settings(InventorySettings, sweep_every_seconds=3600)
    async with harness.running(create_app, settings) as app:
        shop = Shop(app, harness, uuid4(), uuid4(), uuid4())
        await publish(shop)
        await shop.hold(standing=10, seats=["A1"], ttl_seconds=1)

        async def comes_late() -> bool:
            return (await shop.hold(standing=10, seats=["A1"])).status_code == 201

        await harness.eventually(comes_late)


async def test_a_late_commit_takes_the_places_again_if_they_are_free(shop: Shop) -> None:
    hold_id = (await shop.hold(standing=2, seats=["A1"], ttl_seconds=1)).json()["hold_id"]
    await shop.harness.heard("events.inventory.hold_expired.v1")
    assert (await shop.end(hold_id, "commit")).json()["state"] == "committed"
    assert await shop.left() == {"standing": 8, "stalls": 5}


async def test_a_late_commit_is_refused_if_the_places_went_to_others(shop: Shop) -> None:
    hold_id = (await shop.hold(standing=2, seats=["A1"], ttl_seconds=1)).json()["hold_id"]
    await shop.harness.heard("events.inventory.hold_expired.v1")
    await shop.hold(seats=["A1"])
    late = await shop.end(hold_id, "commit")
    assert (late.status_code, late.json()["code"]) == (410, "hold_gone")
    assert (await shop.left())["standing"] == 10


async def test_open_seat_maps_are_notified(shop: Shop) -> None:
    said = await shop.harness.on_bus(f"bus.inventory.places_changed.{shop.event_id}")
    await shop.hold(seats=["A1"])
    message = await asyncio.wait_for(said.get(), 10)
    assert message["seats"] == [{"seat_id": "A1", "state": "held"}]


async def test_open_seat_maps_are_not_told_that_a_seat_is_free_which_another_buyer_has(shop: Shop) -> None:
    ran_out = (await shop.hold(seats=["A1"], ttl_seconds=1)).json()["hold_id"]
    await shop.harness.heard("events.inventory.hold_expired.v1")
    said = await shop.harness.on_bus(f"bus.inventory.places_changed.{shop.event_id}")
    assert (await shop.hold(seats=["A1"])).status_code == 201
    # Orders gives back what it heard has run out.
    assert (await shop.end(ran_out, "release")).status_code == 200
    await shop.hold(seats=["A2"])
    told: dict[str, str] = {}
    while "A2" not in told:
        message = await asyncio.wait_for(said.get(), 20)
        told |= {seat["seat_id"]: seat["state"] for seat in message["seats"]}
    assert told == {"A1": "held", "A2": "held"}


async def test_open_seat_maps_are_told_which_seats_come_back_when_somebody_needs_one_of_them(harness: Harness) -> None:
    settings = harness.settings(InventorySettings, sweep_every_seconds=3600)
    async with harness.running(create_app, settings) as app:
        shop = Shop(app, harness, uuid4(), uuid4(), uuid4())
        await publish(shop)
        await shop.hold(seats=["A1", "A2"])
        await shop.write("UPDATE hold SET expires_at = now() - interval '1 second'")
        said = await harness.on_bus(f"bus.inventory.places_changed.{shop.event_id}")
        assert (await shop.hold(seats=["A1"])).status_code == 201
        told = [(await asyncio.wait_for(said.get(), 20))["seats"] for _ in range(2)]
    free = [{"seat_id": seat, "state": "free"} for seat in ("A1", "A2")]
    assert told == [free, [{"seat_id": "A1", "state": "held"}]]


async def test_an_event_that_nobody_published_is_not_found(shop: Shop) -> None:
    shop.event_id = uuid4()
    assert (await shop.hold(standing=1)).json()["code"] == "event_unknown"
    assert (await shop.get("availability"))["code"] == "event_unknown"
    assert (await shop.get("seats"))["code"] == "event_unknown"


async def test_capacity_never_falls_below_what_is_taken(shop: Shop) -> None:
    await shop.hold(standing=6)
    classes = [{"class_id": str(shop.standing), "name": "Standing", "kind": "general", "capacity": 5}]
    event = {"event_id": str(shop.event_id), "title": "Hamlet", "starts_at": "2027-01-01T19:00:00Z", "classes": classes}
    await shop.harness.tell("events.catalog.event_published.v1", event)
    grown = classes[0] | {"capacity": 12}
    await shop.harness.tell("events.catalog.event_published.v1", event | {"classes": [grown]})
    await shop.harness.eventually(lambda: standing_left(shop, 6))


async def standing_left(shop: Shop, count: int) -> bool:
    return (await shop.left())["standing"] == count


async def test_a_place_that_does_not_exist_is_named(shop: Shop) -> None:
    refused = await shop.hold(seats=["Z9"])
    assert (refused.status_code, refused.json()["place"]) == (404, "Z9")
