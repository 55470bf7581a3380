"""Whatever fails while an order is placed: its places come back at once, and pressing again never holds twice."""

import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from services.orders import queries
from services.orders.settings import OrdersSettings
from services.orders.tests.integration.conftest import Desk


class Lost(ConnectionError):
    """The database is gone in the middle of something."""


class Failures:
    """Makes one step of placing fail the next time that it is taken."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._desk = desk
        self._planned: set[str] = set()
        for name in ("insert_order", "change_order"):
            monkeypatch.setattr(queries, name, self._failing(name, getattr(queries, name)))

    def plan(self, step: str) -> None:
        match step:
            case "catalog":
                self._desk.neighbours.refuse("catalog", 503, "catalog_busy", times=3)
            case "hold":
                self._desk.neighbours.refuse("hold", 503, "inventory_busy", times=3)
            case "hold_answer":
                self._desk.neighbours.refuse("hold_answer", 503, "inventory_busy", times=3)
            case "hold_unreadable":
                self._desk.neighbours.refuse("hold_answer", 201, "nothing_that_is_a_hold")
            case "release":
                self._desk.neighbours.refuse("hold_answer", 503, "inventory_busy", times=3)
                self._desk.neighbours.refuse("release", 503, "inventory_busy", times=3)
            case _:
                self._planned.add(step)

    def forget(self) -> None:
        self._planned.clear()
        self._desk.neighbours.refusals.clear()

    def _failing(self, name: str, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*arguments: Any, **named: Any) -> Any:
            if name in self._planned:
                self._planned.discard(name)
                raise Lost
            done = await real(*arguments, **named)
            if f"after {name}" in self._planned:
                self._planned.discard(f"after {name}")
                raise Lost
            return done

        return run


STEPS = (
    "catalog",
    "insert_order",
    "after insert_order",
    "hold",
    "hold_answer",
    "hold_unreadable",
    "change_order",
    "release",
)
# The change is committed, and its answer is lost.
ANSWER_LOST = "after change_order"


@pytest.fixture
async def orders_settings(orders_settings: OrdersSettings) -> OrdersSettings:
    # No order's timer is over while a test waits: what comes back comes from who placed it.
    return orders_settings.model_copy(update={"abandoned_after_seconds": 3600.0})


@pytest.fixture
def failures(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Failures:
    return Failures(desk, monkeypatch)


@pytest.mark.parametrize("step", STEPS)
async def test_places_come_back_at_once_whatever_fails(desk: Desk, failures: Failures, step: str) -> None:
    failures.plan(step)
    answer = await desk.place()
    assert answer.status_code >= 500
    assert await desk.harness.eventually(lambda: _nothing_is_held(desk))
    assert await desk.harness.eventually(lambda: _every_order_has_ended(desk))


async def test_an_order_is_held_if_only_the_answer_of_its_commit_was_lost_and_who_presses_again_finds_it(
    desk: Desk, failures: Failures
) -> None:
    key = str(uuid4())
    failures.plan(ANSWER_LOST)
    assert (await desk.place(key=key)).status_code == 503
    assert desk.neighbours.hold_states() == ["held"]
    again = await desk.place(key=key)
    assert (again.status_code, again.json()["state"]) == (201, "held")
    assert [line["quantity"] for line in again.json()["lines"]] == [2]
    assert desk.neighbours.hold_states() == ["held"]


async def test_pressing_again_after_any_two_failures_ends_in_one_order_with_its_places(
    desk: Desk, failures: Failures
) -> None:
    # Each step fails first once, and then three others of all, which are always the same ones.
    some, steps = random.Random(11), (*STEPS, ANSWER_LOST)  # noqa: S311  # no secret
    for first, second in ((first, second) for first in steps for second in some.sample(steps, 3)):
        key = str(uuid4())
        for step in (first, second):
            failures.plan(step)
            # The failure may hit what the saga does meanwhile for the attempt before: then this one succeeds.
            assert (await desk.place(key=key)).status_code in {201, 500, 503}, (first, second)
            failures.forget()
        order = await desk.place(key=key)
        assert order.status_code == 201, (first, second, order.text)
        again = await desk.place(key=key)
        assert again.json()["order_id"] == order.json()["order_id"]
        assert await desk.harness.eventually(lambda: _held(desk, 1)), (first, second)
        await desk.act(order.json()["order_id"], "cancel")
        assert await desk.harness.eventually(lambda: _held(desk, 0)), (first, second)


async def test_who_presses_again_after_the_process_died_with_the_answer_finds_the_order(desk: Desk) -> None:
    key = str(uuid4())
    order = (await desk.place(key=key)).json()
    # As if the process had died between the order and the answer that is kept for repetitions.
    await desk.rows("UPDATE idempotency_key SET status = NULL, response = NULL WHERE key = :key", key=key)
    again = await desk.place(key=key)
    assert (again.status_code, again.json()["order_id"]) == (201, order["order_id"])
    assert desk.neighbours.hold_states() == ["held"]


async def test_who_presses_again_when_the_pass_is_used_and_gone_finds_the_order(desk: Desk) -> None:
    key = str(uuid4())
    order = (await desk.place(key=key, admission="a pass of the waiting room")).json()
    again = await desk.place(key=key)  # the first answer has taken the pass out of the browser
    assert (again.status_code, again.json().get("order_id")) == (201, order["order_id"])
    assert desk.neighbours.hold_states() == ["held"]


async def test_a_cancelled_try_with_a_later_id_does_not_hide_the_order(desk: Desk) -> None:
    key = str(uuid4())
    order = (await desk.place(key=key)).json()
    # Ids come from several clocks: an earlier try may have the higher one.
    await desk.rows("DELETE FROM idempotency_key")
    await desk.rows(
        """
        INSERT INTO purchase_order (order_id, number, person_id, state, reason, event_id, event_title, event_starts_at,
            event_time_zone, venue_name, venue_city, currency, total_minor, wish, hold_id, request_key)
        SELECT 'ffffffff-ffff-7fff-bfff-ffffffffffff', 'ZZZZ-ZZZZ', person_id, 'cancelled', 'refused', event_id, event_title,
            event_starts_at, event_time_zone, venue_name, venue_city, currency, 0, wish, gen_random_uuid(), request_key
        FROM purchase_order
        """
    )
    again = await desk.place(key=key)
    assert (again.status_code, again.json()["order_id"]) == (201, order["order_id"])


async def test_a_class_that_only_inventory_knows_leaves_no_places_behind(desk: Desk) -> None:
    unknown = {"class_id": str(uuid4()), "quantity": 1, "seat_id": "A1", "seat_label": "Seat A1"}
    desk.neighbours.lines_instead.append([unknown])
    answer = await desk.place()
    assert (answer.status_code, answer.json()["code"]) == (404, "place_unknown")
    assert await desk.harness.eventually(lambda: _nothing_is_held(desk))


async def test_seats_that_an_earlier_try_of_the_same_button_still_has_are_not_somebody_elses(desk: Desk) -> None:
    key, seats = str(uuid4()), ["A1"]
    desk.neighbours.refuse("hold_answer", 503, "inventory_busy", times=3)
    desk.neighbours.refuse("release", 503, "inventory_busy", times=3)
    assert (await desk.place(key=key, places=[], seats=seats)).status_code == 503
    desk.neighbours.refuse("hold", 409, "seats_taken")
    again = await desk.place(key=key, places=[], seats=seats)
    assert (again.status_code, again.json().get("state")) == (201, "held")
    assert await desk.harness.eventually(lambda: _held(desk, 1))


async def _nothing_is_held(desk: Desk) -> bool:
    return "held" not in desk.neighbours.hold_states()


async def _held(desk: Desk, how_many: int) -> bool:
    return desk.neighbours.hold_states().count("held") == how_many


async def _every_order_has_ended(desk: Desk) -> bool:
    return not await desk.rows("SELECT 1 FROM purchase_order WHERE state <> 'cancelled'")
