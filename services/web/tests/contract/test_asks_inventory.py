"""What web needs of inventory: what is still free."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from chassis.asking import Use
from chassis.http import ProviderProblem
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.web.clients.inventory import GET_AVAILABILITY, GET_TAKEN_SEATS, InventoryClient
from services.web.clients.records import GET_RECORDS
from services.web.tests.contract.recorded import any_of, entry, records

inventory = asks("web", "inventory", InventoryClient)


async def test_each_class_says_how_many_places_are_free(inventory: Asking[InventoryClient]) -> None:
    event_id, class_id = an_id("web asks inventory: event"), an_id("web asks inventory: class")
    async with inventory.expects(
        "the free places of an event",
        a_state("an event with one place left", event_id=event_id, class_id=class_id),
        ask(GET_AVAILABILITY, event_id=event_id),
        Answer(200, {"classes": [{"class_id": str(class_id), "available": 1}]}),
    ) as client:
        assert await client.availability(event_id) == {class_id: 1}


async def test_seats_that_somebody_has_are_named(inventory: Asking[InventoryClient]) -> None:
    event_id, class_id = an_id("web asks inventory: taken"), an_id("web asks inventory: taken class")
    taken = [{"seat_id": "A2", "state": matchers.one_of("held", "sold")}]
    async with inventory.expects(
        "the taken seats of an event",
        a_state("an event whose seat is taken", event_id=event_id, class_id=class_id, seats=["A1", "A2"], taken="A2"),
        ask(GET_TAKEN_SEATS, event_id=event_id),
        Answer(200, {"taken": taken}),
    ) as client:
        assert await client.taken_seats(event_id) == {"A2": "held"}


async def test_an_event_whose_seats_are_all_free_names_none(inventory: Asking[InventoryClient]) -> None:
    event_id, class_id = an_id("web asks inventory: free"), an_id("web asks inventory: free class")
    async with inventory.expects(
        "the taken seats of an event whose seats are free",
        a_state("an event with free seats", event_id=event_id, class_id=class_id, seats=["A1"]),
        ask(GET_TAKEN_SEATS, event_id=event_id),
        Answer(200, {"taken": []}),
    ) as client:
        assert await client.taken_seats(event_id) == {}


Question = Callable[[InventoryClient, UUID], Awaitable[object]]


@pytest.mark.parametrize(
    ("use", "what", "question"),
    [
        (GET_AVAILABILITY, "availability", InventoryClient.availability),
        (GET_TAKEN_SEATS, "seats", InventoryClient.taken_seats),
    ],
    ids=["availability", "seats"],
)
async def test_of_an_event_that_is_not_known_nothing_is_known(
    inventory: Asking[InventoryClient], use: Use[Any], what: str, question: Question
) -> None:
    event_id = an_id(f"web asks inventory: unknown, {what}")
    async with inventory.expects(
        f"the {what} of an event that is not known",
        None,
        ask(use, event_id=event_id),
        problem(404, "event_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await question(client, event_id)
        assert refused.value.problem_code == "event_unknown"


async def test_a_hold_has_its_story(inventory: Asking[InventoryClient]) -> None:
    given = {
        name: an_id(f"web asks inventory: {name} of story") for name in ("event_id", "class_id", "hold_id", "order_id")
    }
    known = {"places": 2, "reference": str(given["hold_id"])}
    untraced = {"trace": matchers.nothing(), "span": matchers.nothing()}
    granted = entry(any_of("inventory", "hold_granted"), until=matchers.from_now(600), **known)
    published = entry(
        "fact_told",
        kind="events.inventory.hold_expired.v1",
        reference=matchers.text("an id"),
        attempt=1,
        ended_at=matchers.from_now(0),
        **untraced,
    )
    async with inventory.expects(
        "the records of an order whose places were sold",
        a_state("a hold that was sold outside of any trace", **given),
        ask(GET_RECORDS, order_id=given["order_id"]),
        Answer(200, records(granted, entry("hold_committed", state="held", **known, **untraced), published)),
    ) as client:
        found = await client.records(given["order_id"])
        assert [each.what for each in found.entries] == ["hold_granted", "hold_committed", "fact_told"]
