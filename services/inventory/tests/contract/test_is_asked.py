"""Inventory answers what its consumers ask, as their pacts say."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chassis.db import Database
from chassis.facts import NO_VERSION
from chassis.testing import Harness
from contracts.provider import Provided, provided, verify_answers
from contracts.states import ForOneRequest
from services.inventory import granting, queries
from services.inventory.app import create_app
from services.inventory.passes import PassVerifier
from services.inventory.settings import InventorySettings

PASS = uuid4()
STARTS_AT = datetime(2031, 6, 21, 18, tzinfo=UTC)


class States:
    """Makes true what the consumers' interactions take for granted."""

    def __init__(self, inventory: Provided, database: Database, briefly: ForOneRequest | None = None) -> None:
        self._inventory = inventory
        self._database = database
        self._briefly = briefly or ForOneRequest()

    async def an_event_with_free_places(self, given: dict[str, Any], capacity: int = 10) -> None:
        await self._publish(given["event_id"], given["class_id"], "general", capacity)

    async def an_event_whose_class_is_not_on_sale(self, given: dict[str, Any]) -> None:
        await self._publish(given["event_id"], given["class_id"], "general", 10, for_sale=False)

    async def an_event_whose_class_goes_on_sale_later(self, given: dict[str, Any]) -> None:
        begins_at = datetime(2031, 1, 10, 9, tzinfo=UTC)
        await self._publish(given["event_id"], given["class_id"], "general", 10, sale_begins_at=begins_at)

    async def an_event_for_which_very_many_wait(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        self._briefly.change(granting, "LONGEST_QUEUE", 0)

    async def an_event_with_one_place_left(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given, capacity=3)
        await self.hold({**given, "hold_id": uuid4(), "order_id": uuid4()})

    async def an_event_with_no_place_left(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given, capacity=2)
        await self.hold({**given, "hold_id": uuid4(), "order_id": uuid4()})

    async def an_event_with_a_waiting_room(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        async with self._database.writer() as tx:
            await queries.schedule_sale(tx, UUID(given["event_id"]), 1, needs_pass=True)

    async def an_event_with_a_waiting_room_and_a_buyer_with_a_pass(self, given: dict[str, Any]) -> None:
        await self.an_event_with_a_waiting_room(given)
        # Whoever wrote the contract cannot sign: what a pass must be is tested in integration/test_passes.py.
        self._briefly.change(PassVerifier, "pass_id", lambda *_: PASS)

    async def an_event_with_a_waiting_room_and_a_buyer_whose_pass_is_used(self, given: dict[str, Any]) -> None:
        await self.an_event_with_a_waiting_room_and_a_buyer_with_a_pass(given)
        async with self._database.writer() as tx:
            await queries.take_passes(tx, {PASS: uuid4()})

    async def an_event_with_places_in_carts(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_places(given)
        await self.hold({**given, "hold_id": uuid4(), "order_id": uuid4()})

    async def a_hold_of_two_places(self, given: dict[str, Any]) -> None:
        """It lasts so many `seconds_left`, if they are given."""
        await self.an_event_with_free_places(given)
        await self.hold(given)
        if "seconds_left" in given:
            left = {"hold_id": UUID(given["hold_id"]), "seconds": given["seconds_left"]}
            async with self._database.writer() as tx:
                await tx.execute(_LAST, left, name="tests.last")

    async def a_hold_that_was_prolonged(self, given: dict[str, Any]) -> None:
        await self.a_hold_of_two_places(given)
        body = {"ttl_seconds": given["ttl_seconds"]}
        await self._inventory.do("POST", f"{_path(given)}/prolong", caller="orders", body=body)

    async def a_sold_hold(self, given: dict[str, Any]) -> None:
        await self.a_hold_of_two_places({**given, "order_id": uuid4()})
        await self.end(given, "commit")

    async def a_released_hold(self, given: dict[str, Any]) -> None:
        await self.a_hold_of_two_places({**given, "order_id": uuid4()})
        await self.end(given, "release")

    async def a_hold_that_was_sold_outside_of_any_trace(self, given: dict[str, Any]) -> None:
        await self.a_hold_of_two_places(given)
        await self.end(given, "commit")
        async with self._database.writer() as tx:
            await tx.execute(_UNTRACE, {"hold_id": UUID(given["hold_id"])}, name="tests.untrace")
            await tx.execute(_TELL, {"hold_id": given["hold_id"]}, name="tests.tell")

    async def an_event_with_free_seats(self, given: dict[str, Any]) -> None:
        seats = given["seats"]
        await self._publish(given["event_id"], given["class_id"], "seated", len(seats))
        rows = [{"seat_id": seat, "label": f"Seat {seat}", "class_id": UUID(given["class_id"])} for seat in seats]
        async with self._database.writer() as tx:
            await queries.insert_seats(tx, UUID(given["event_id"]), NO_VERSION, rows)

    async def an_event_whose_seat_is_taken(self, given: dict[str, Any]) -> None:
        await self.an_event_with_free_seats(given)
        await self.hold({**given, "hold_id": uuid4(), "order_id": uuid4()}, seats=[given["taken"]])

    async def _publish(self, event_id: str, class_id: str, kind: str, capacity: int, **sale: Any) -> None:
        event = {"event_id": UUID(event_id), "title": "Hamlet", "starts_at": STARTS_AT, "version": NO_VERSION}
        known = {"class_id": UUID(class_id), "event_id": UUID(event_id), "name": "Standing"}
        async with self._database.writer() as tx:
            await queries.upsert_event(tx, event, [{**known, "kind": kind, "capacity": capacity, **sale}])

    async def hold(self, given: dict[str, Any], seats: list[str] | None = None) -> None:
        body = {
            "order_id": str(given["order_id"]),
            "places": [] if seats else [{"class_id": given["class_id"], "quantity": 2}],
            "seats": seats or [],
            "ttl_seconds": 600,
        }
        await self._inventory.do("PUT", _path(given), caller="orders", body=body)

    async def end(self, given: dict[str, Any], how: str) -> None:
        await self._inventory.do("POST", f"{_path(given)}/{how}", caller="orders")


_LAST = text("UPDATE hold SET expires_at = now() + make_interval(secs => :seconds) WHERE hold_id = :hold_id")
_UNTRACE = text("UPDATE hold_change SET traceparent = NULL WHERE hold_id = :hold_id")
# A fact that has left already, so that what is read of it does not depend on when the relay comes by.
_TELL = text("""
    INSERT INTO outbox (event_id, subject, aggregate_id, data, published_at, publications)
    VALUES (gen_random_uuid(), 'events.inventory.hold_expired.v1', :hold_id, '{}', now(), 1)
""")


def _path(given: dict[str, Any]) -> str:
    return f"/events/{given['event_id']}/holds/{given['hold_id']}"


async def test_inventory_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(InventorySettings)
    database = Database(settings)
    briefly = ForOneRequest()
    async with provided(lambda given: briefly.around(create_app(given)), settings, harness) as inventory:
        states = States(inventory, database, briefly)
        await verify_answers(
            "inventory",
            inventory.url,
            callers=["orders", "waitingroom", "web"],
            states={
                "an event with free places": states.an_event_with_free_places,
                "an event for which very many wait": states.an_event_for_which_very_many_wait,
                "an event whose class is not on sale": states.an_event_whose_class_is_not_on_sale,
                "an event whose class goes on sale later": states.an_event_whose_class_goes_on_sale_later,
                "an event with one place left": states.an_event_with_one_place_left,
                "an event with no place left": states.an_event_with_no_place_left,
                "an event with a waiting room": states.an_event_with_a_waiting_room,
                "an event with a waiting room and a buyer with a pass": (
                    states.an_event_with_a_waiting_room_and_a_buyer_with_a_pass
                ),
                "an event with a waiting room and a buyer whose pass is used": (
                    states.an_event_with_a_waiting_room_and_a_buyer_whose_pass_is_used
                ),
                "an event with places in carts": states.an_event_with_places_in_carts,
                "an event with free seats": states.an_event_with_free_seats,
                "an event whose seat is taken": states.an_event_whose_seat_is_taken,
                "a hold of two places": states.a_hold_of_two_places,
                "a hold that was prolonged": states.a_hold_that_was_prolonged,
                "a sold hold": states.a_sold_hold,
                "a released hold": states.a_released_hold,
                "a hold that was sold outside of any trace": states.a_hold_that_was_sold_outside_of_any_trace,
            },
        )
    await database.close()
