"""What waitingroom needs of inventory: how an event's places stand."""

import pytest

from chassis.http import ProviderProblem
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.waitingroom.clients.inventory import CROWD, InventoryClient

inventory = asks("waitingroom", "inventory", InventoryClient)


async def test_places_that_are_left_and_in_carts_are_told(inventory: Asking[InventoryClient]) -> None:
    event_id, standing = (an_id(f"waitingroom asks inventory: {what}") for what in ("event", "standing"))
    async with inventory.expects(
        "how the places of an event stand",
        a_state("an event with places in carts", event_id=event_id, class_id=standing),
        ask(CROWD, event_id=event_id),
        Answer(200, {"left": 8, "in_carts": 2, "wait_seconds": matchers.number(0.0)}),
    ) as client:
        crowd = await client.crowd(event_id)
        assert (crowd.left, crowd.in_carts, crowd.wait_seconds) == (8, 2, 0.0)


async def test_an_event_that_is_not_known_is_refused(inventory: Asking[InventoryClient]) -> None:
    event_id = an_id("waitingroom asks inventory: event, unknown")
    async with inventory.expects(
        "how the places of an event stand that is not known",
        None,
        ask(CROWD, event_id=event_id),
        problem(404, "event_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.crowd(event_id)
        assert refused.value.problem_code == "event_unknown"
