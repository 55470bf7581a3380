"""What orders needs of inventory: holds, their refusals, and their two ends."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.asking import Use
from chassis.http import ProviderProblem, ProviderUnavailable
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, a_state, an_id, ask, asks, problem
from services.orders.clients.inventory import COMMIT, HOLD, PROLONG, RELEASE, HoldLost, InventoryClient
from services.orders.domain import Wish
from services.orders.refusals import EventUnknown, NotOnSale, PassNeeded, PassUsed, PlaceUnknown, SeatsTaken, SoldOut

inventory = asks("orders", "inventory", InventoryClient)

ORDER = an_id("order")
BUYER = an_id("orders asks inventory: buyer")
PASS = "a pass of the waiting room"
TTL_SECONDS = 600
# How much longer a hold is wanted for a payment; more than it had, so that it is seen to last longer.
MORE_SECONDS = 1500
# Of a hold that was granted some time ago.
SECONDS_LEFT = 120


def event_of(words: str) -> UUID:
    return an_id(f"orders asks inventory: event, {words}")


def hold_of(words: str) -> UUID:
    return an_id(f"orders asks inventory: hold, {words}")


def a_wish(event_id: UUID, standing: UUID | None = None, seats: tuple[str, ...] = ()) -> Wish:
    return Wish(event_id, ((standing, 2),) if standing else (), seats)


def ask_for(wish: Wish, hold_id: UUID) -> Ask:
    body = {
        "order_id": str(ORDER),
        "places": [{"class_id": str(class_id), "quantity": quantity} for class_id, quantity in wish.places],
        "seats": list(wish.seats),
        "ttl_seconds": TTL_SECONDS,
        "buyer_id": str(BUYER),
        "admission": wish.admission,
    }
    return ask(HOLD, body=body, event_id=wish.event_id, hold_id=hold_id)


def ask_to(use: Use[Any], event_id: UUID, hold_id: UUID) -> Ask:
    return ask(use, event_id=event_id, hold_id=hold_id)


def a_line_of_places(class_id: UUID) -> dict[str, object]:
    return {
        "class_id": str(class_id),
        "seat_id": matchers.nothing(),
        "seat_label": matchers.nothing(),
        "quantity": 2,
    }


async def test_places_of_general_admission_are_held_for_a_while(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("places"), hold_of("places")
    standing = an_id("orders asks inventory: standing, places")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold of two places of general admission",
        a_state("an event with free places", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        Answer(201, {"expires_at": matchers.from_now(TTL_SECONDS), "lines": [a_line_of_places(standing)]}),
    ) as client:
        hold = await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        (line,) = hold.lines
        assert (line.class_id, line.seat_id, line.quantity) == (standing, None, 2)
        assert hold.expires_at == datetime(2031, 6, 21, 18, tzinfo=UTC)


async def test_asking_again_for_the_same_hold_gives_the_same_and_no_more_time(
    inventory: Asking[InventoryClient],
) -> None:
    event_id, hold_id = event_of("again"), hold_of("again")
    standing = an_id("orders asks inventory: standing, again")
    wish = a_wish(event_id, standing)
    given = {"event_id": event_id, "class_id": standing, "hold_id": hold_id, "order_id": ORDER}
    async with inventory.expects(
        "a hold that was granted before",
        a_state("a hold of two places", **given, seconds_left=SECONDS_LEFT),
        ask_for(wish, hold_id),
        Answer(200, {"expires_at": matchers.from_now(SECONDS_LEFT), "lines": [a_line_of_places(standing)]}),
    ) as client:
        hold = await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert len(hold.lines) == 1


async def test_seats_are_held_by_their_ids_and_come_with_their_labels(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("seats"), hold_of("seats")
    stalls = an_id("orders asks inventory: stalls, seats")
    wish = a_wish(event_id, seats=("A1",))
    line = {"class_id": str(stalls), "seat_id": "A1", "seat_label": "Seat A1", "quantity": 1}
    async with inventory.expects(
        "a hold of a seat",
        a_state("an event with free seats", event_id=event_id, class_id=stalls, seats=["A1", "A2"]),
        ask_for(wish, hold_id),
        Answer(201, {"expires_at": matchers.from_now(TTL_SECONDS), "lines": [line]}),
    ) as client:
        hold = await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        (held,) = hold.lines
        assert (held.class_id, held.seat_id, held.seat_label) == (stalls, "A1", "Seat A1")


async def test_more_places_than_are_left_are_refused_with_how_many_are_left(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("sold out"), hold_of("sold out")
    standing = an_id("orders asks inventory: standing, sold out")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold of more places than are left",
        a_state("an event with one place left", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        problem(409, "sold_out", class_id=str(standing), available=1),
    ) as client:
        with pytest.raises(SoldOut) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert (refused.value.class_id, refused.value.available) == (standing, 1)


async def test_places_of_which_none_are_left_are_refused_as_gone(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("none left"), hold_of("none left")
    standing = an_id("orders asks inventory: standing, none left")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold of places of which none are left",
        a_state("an event with no place left", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        problem(410, "sold_out", class_id=str(standing), available=0),
    ) as client:
        with pytest.raises(SoldOut) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert refused.value.available == 0


async def test_places_of_an_event_with_a_waiting_room_are_held_with_a_pass(
    inventory: Asking[InventoryClient],
) -> None:
    event_id, hold_id = event_of("pass"), hold_of("pass")
    standing = an_id("orders asks inventory: standing, pass")
    wish = replace(a_wish(event_id, standing), admission=PASS)
    async with inventory.expects(
        "a hold with a pass of the waiting room",
        a_state("an event with a waiting room and a buyer with a pass", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        Answer(201, {"expires_at": matchers.from_now(TTL_SECONDS), "lines": [a_line_of_places(standing)]}),
    ) as client:
        hold = await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert len(hold.lines) == 1


async def test_without_a_pass_they_are_refused(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("no pass"), hold_of("no pass")
    standing = an_id("orders asks inventory: standing, no pass")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold without a pass that is needed",
        a_state("an event with a waiting room", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        problem(403, "pass_needed"),
    ) as client:
        with pytest.raises(PassNeeded):
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)


async def test_a_pass_is_used_once(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("used pass"), hold_of("used pass")
    standing = an_id("orders asks inventory: standing, used pass")
    wish = replace(a_wish(event_id, standing), admission=PASS)
    async with inventory.expects(
        "a hold with a pass that was used",
        a_state("an event with a waiting room and a buyer whose pass is used", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        problem(409, "pass_used"),
    ) as client:
        with pytest.raises(PassUsed):
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)


async def test_a_seat_that_somebody_has_is_refused_by_its_id(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("taken"), hold_of("taken")
    stalls = an_id("orders asks inventory: stalls, taken")
    wish = a_wish(event_id, seats=("A1", "A2"))
    async with inventory.expects(
        "a hold of a seat that is taken",
        a_state("an event whose seat is taken", event_id=event_id, class_id=stalls, seats=["A1", "A2"], taken="A2"),
        ask_for(wish, hold_id),
        problem(409, "seats_taken", seat_ids=["A2"]),
    ) as client:
        with pytest.raises(SeatsTaken) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert refused.value.seat_ids == ["A2"]


@pytest.mark.parametrize(
    ("words", "begins_at", "expected"),
    [
        ("is not on sale", matchers.nothing(), None),
        ("goes on sale later", "2031-01-10T09:00:00Z", datetime(2031, 1, 10, 9, tzinfo=UTC)),
    ],
)
async def test_places_that_are_not_on_sale_are_refused_with_when_they_will_be(
    inventory: Asking[InventoryClient], words: str, begins_at: Any, expected: datetime | None
) -> None:
    event_id, hold_id = event_of(words), hold_of(words)
    class_id = an_id(f"orders asks inventory: class, {words}")
    wish = a_wish(event_id, class_id)
    async with inventory.expects(
        f"a hold of a class that {words}",
        a_state(f"an event whose class {words}", event_id=event_id, class_id=class_id),
        ask_for(wish, hold_id),
        problem(409, "not_on_sale", begins_at=begins_at),
    ) as client:
        with pytest.raises(NotOnSale) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert refused.value.begins_at == expected


async def test_a_place_that_the_event_does_not_have_is_refused(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("other place"), hold_of("other place")
    wish = a_wish(event_id, seats=("Z9",))
    async with inventory.expects(
        "a hold of a seat that the event does not have",
        a_state("an event with free seats", event_id=event_id, class_id=str(an_id("stalls, other")), seats=["A1"]),
        ask_for(wish, hold_id),
        problem(404, "place_unknown"),
    ) as client:
        with pytest.raises(PlaceUnknown):
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)


async def test_an_event_that_inventory_does_not_know_is_refused(inventory: Asking[InventoryClient]) -> None:
    wish, hold_id = a_wish(event_of("unknown"), an_id("some class")), hold_of("unknown")
    async with inventory.expects(
        "a hold for an event that is not known", None, ask_for(wish, hold_id), problem(404, "event_unknown")
    ) as client:
        with pytest.raises(EventUnknown):
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)


async def test_of_a_hold_in_a_crowd_nothing_is_known(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("crowd"), hold_of("crowd")
    standing = an_id("orders asks inventory: standing, crowd")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold for an event for which very many wait",
        a_state("an event for which very many wait", event_id=event_id, class_id=standing),
        ask_for(wish, hold_id),
        problem(503, "inventory_busy"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)


async def test_a_hold_that_was_given_back_cannot_be_had_again(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("released"), hold_of("released")
    standing = an_id("orders asks inventory: standing, released")
    wish = a_wish(event_id, standing)
    async with inventory.expects(
        "a hold that was released before it arrived",
        a_state("a released hold", event_id=event_id, class_id=standing, hold_id=hold_id),
        ask_for(wish, hold_id),
        problem(410, "hold_gone"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert refused.value.problem_code == "hold_gone"


async def test_the_id_of_a_hold_cannot_stand_for_other_places(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("differs"), hold_of("differs")
    standing = an_id("orders asks inventory: standing, differs")
    wish = Wish(event_id, ((standing, 1),), ())
    async with inventory.expects(
        "a hold of other places under an id that is in use",
        a_state("a hold of two places", event_id=event_id, class_id=standing, hold_id=hold_id, order_id=ORDER),
        ask_for(wish, hold_id),
        problem(409, "hold_differs"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.hold(wish, hold_id=hold_id, order_id=ORDER, buyer_id=BUYER, ttl_seconds=TTL_SECONDS)
        assert refused.value.problem_code == "hold_differs"


@pytest.mark.parametrize(("use", "how"), [(COMMIT, "commit"), (RELEASE, "release")], ids=["commit", "release"])
async def test_a_hold_is_sold_or_given_back(inventory: Asking[InventoryClient], use: Use[None], how: str) -> None:
    event_id, hold_id = event_of(how), hold_of(how)
    standing = an_id(f"orders asks inventory: standing, {how}")
    async with inventory.expects(
        f"the {how} of a hold",
        a_state("a hold of two places", event_id=event_id, class_id=standing, hold_id=hold_id, order_id=ORDER),
        ask_to(use, event_id, hold_id),
        Answer(200),
    ) as client:
        await (client.commit if how == "commit" else client.release)(event_id, hold_id)


@pytest.mark.parametrize(
    ("use", "how", "ended"), [(COMMIT, "commit", "a sold hold"), (RELEASE, "release", "a released hold")]
)
async def test_a_hold_that_is_sold_or_given_back_twice_is_so_once(
    inventory: Asking[InventoryClient], use: Use[None], how: str, ended: str
) -> None:
    event_id, hold_id = event_of(f"{how} again"), hold_of(f"{how} again")
    standing = an_id(f"orders asks inventory: standing, {how} again")
    async with inventory.expects(
        f"the {how} of {ended}",
        a_state(ended, event_id=event_id, class_id=standing, hold_id=hold_id),
        ask_to(use, event_id, hold_id),
        Answer(200),
    ) as client:
        await (client.commit if how == "commit" else client.release)(event_id, hold_id)


async def test_a_hold_that_never_arrived_can_be_given_back(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("never arrived"), hold_of("never arrived")
    async with inventory.expects(
        "the release of a hold that is not known", None, ask_to(RELEASE, event_id, hold_id), Answer(200)
    ) as client:
        await client.release(event_id, hold_id)


async def test_a_hold_that_was_released_cannot_be_sold(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("commit of released"), hold_of("commit of released")
    standing = an_id("orders asks inventory: standing, commit of released")
    async with inventory.expects(
        "the commit of a released hold",
        a_state("a released hold", event_id=event_id, class_id=standing, hold_id=hold_id),
        ask_to(COMMIT, event_id, hold_id),
        problem(410, "hold_gone"),
    ) as client:
        with pytest.raises(HoldLost):
            await client.commit(event_id, hold_id)


async def test_a_hold_that_nobody_knows_cannot_be_sold(inventory: Asking[InventoryClient]) -> None:
    event_id, hold_id = event_of("commit of unknown"), hold_of("commit of unknown")
    async with inventory.expects(
        "the commit of a hold that is not known",
        None,
        ask_to(COMMIT, event_id, hold_id),
        problem(404, "hold_unknown"),
    ) as client:
        with pytest.raises(HoldLost):
            await client.commit(event_id, hold_id)


@pytest.mark.parametrize("again", ["", " again"])
async def test_a_hold_is_prolonged(inventory: Asking[InventoryClient], again: str) -> None:
    event_id, hold_id = event_of(f"prolonged{again}"), hold_of(f"prolonged{again}")
    standing = an_id(f"orders asks inventory: standing, prolonged{again}")
    given = {"event_id": event_id, "class_id": standing, "hold_id": hold_id, "order_id": ORDER}
    async with inventory.expects(
        f"more time for a hold{again}",
        a_state("a hold that was prolonged", **given, ttl_seconds=MORE_SECONDS)
        if again
        else a_state("a hold of two places", **given),
        ask(PROLONG, body={"ttl_seconds": MORE_SECONDS}, event_id=event_id, hold_id=hold_id),
        Answer(200, {"expires_at": matchers.from_now(MORE_SECONDS)}),
    ) as client:
        assert await client.prolong(event_id, hold_id, seconds=MORE_SECONDS) == datetime(2031, 6, 21, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "status", "code"), [("released", 410, "hold_gone"), ("unknown", 404, "hold_unknown")]
)
async def test_what_is_no_hold_any_more_is_not_prolonged(
    inventory: Asking[InventoryClient], words: str, status: int, code: str
) -> None:
    event_id, hold_id = event_of(f"prolonged {words}"), hold_of(f"prolonged {words}")
    standing = an_id(f"orders asks inventory: standing, prolonged {words}")
    released = a_state("a released hold", event_id=event_id, class_id=standing, hold_id=hold_id)
    async with inventory.expects(
        f"more time for a hold that is {words}",
        released if words == "released" else None,
        ask(PROLONG, body={"ttl_seconds": TTL_SECONDS}, event_id=event_id, hold_id=hold_id),
        problem(status, code),
    ) as client:
        with pytest.raises(HoldLost):
            await client.prolong(event_id, hold_id, seconds=TTL_SECONDS)
