"""Who waits, who is refused at once, and who is passed over, without any database."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.deadline import remaining_seconds, set_deadline
from chassis.errors import DeadlinePassed
from services.inventory import granting
from services.inventory.domain import Busy, Wish
from services.inventory.granting import Granting, _Queue

EVENT = uuid4()


class SlowInventory:
    """Takes a while for each wish, and for each batch."""

    def __init__(self, seconds_each: float, batch_seconds: float = 0.0) -> None:
        self._seconds_each = seconds_each
        self._batch_seconds = batch_seconds
        self.placed: list[UUID] = []
        self.free = asyncio.Event()
        self.free.set()

    async def refuse_at_once(self, event_id: UUID, wish: Wish) -> None:
        """Nothing is sold out."""

    async def place_holds(self, event_id: UUID, wishes: list[Wish]) -> list[Any]:
        await self.free.wait()
        await asyncio.sleep(self._batch_seconds + self._seconds_each * len(wishes))
        self.placed += [wish.hold_id for wish in wishes]
        return [_Hold(wish.hold_id) for wish in wishes]


class HurriedInventory(SlowInventory):
    """Notes how much of a minute it has for each batch."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.seconds: list[float] = []

    async def place_holds(self, event_id: UUID, wishes: list[Wish]) -> list[Any]:
        self.seconds.append(remaining_seconds(60.0))
        return await super().place_holds(event_id, wishes)


class _Hold:
    class state:  # noqa: N801
        value = "held"

    new = True

    def __init__(self, hold_id: UUID) -> None:
        self.hold_id = hold_id


def wish() -> Wish:
    return Wish(uuid4(), uuid4(), ((uuid4(), 1),), (), 600)


def waiting_room(inventory: SlowInventory) -> Granting:
    made: Any = Granting
    found: Granting = made(inventory)
    return found


async def test_whoever_would_wait_too_long_is_refused_at_once_and_told_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(granting, "BATCH", 4)
    grants = waiting_room(SlowInventory(0.1))
    await grants.grant(EVENT, wish())
    first = [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(4)]
    await asyncio.sleep(0.5)
    crowd = [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(400)]
    answers = await asyncio.gather(*first, *crowd, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Busy)]
    assert refused, "Nobody was refused though 400 came at once, at ten a second."
    assert len(answers) - len(refused) < 400
    assert all(answer.retry_after_seconds >= 1 for answer in refused)
    assert "Try again in" in str(refused[0])


async def test_a_batch_that_was_slow_once_keeps_no_crowd_out_that_fits_into_the_next_one() -> None:
    grants = waiting_room(SlowInventory(0.0, batch_seconds=0.3))
    await grants.grant(EVENT, wish())
    crowd = await asyncio.gather(*(grants.grant(EVENT, wish()) for _ in range(64)))
    assert len(crowd) == 64


async def test_who_stopped_waiting_gets_no_place() -> None:
    inventory = SlowInventory(0.0)
    grants = waiting_room(inventory)
    inventory.free.clear()
    first, gone, behind = (wish() for _ in range(3))
    waiting = [asyncio.create_task(grants.grant(EVENT, first))]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(grants.grant(EVENT, each)) for each in (gone, behind)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    inventory.free.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert inventory.placed == [first.hold_id, behind.hold_id]


async def test_a_deadline_before_the_end_of_the_queue_is_seen_before_it_is_joined() -> None:
    inventory = SlowInventory(0.05)
    grants = waiting_room(inventory)
    crowd = [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(5)]
    await asyncio.sleep(0.4)
    inventory.free.clear()
    crowd += [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(2)]
    await asyncio.sleep(0)

    hurried = wish()

    async def in_a_hurry() -> None:
        set_deadline(0.08)
        await grants.grant(EVENT, hurried)

    inventory.free.set()
    # On a busy machine the deadline may have passed before anybody can say that the wait would be longer.
    with pytest.raises((Busy, DeadlinePassed)):
        await asyncio.create_task(in_a_hurry())
    await asyncio.gather(*crowd)
    assert hurried.hold_id not in inventory.placed


async def test_who_has_little_time_takes_none_from_whoever_waits_behind() -> None:
    inventory = HurriedInventory()
    grants = waiting_room(inventory)
    inventory.free.clear()

    async def in_a_hurry() -> None:
        set_deadline(20.0)
        await grants.grant(EVENT, wish())

    hurried = asyncio.create_task(in_a_hurry())
    await asyncio.sleep(0)
    behind = [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(granting.BATCH)]
    await asyncio.sleep(0)
    inventory.free.set()
    await asyncio.gather(hurried, *behind)
    assert inventory.seconds == [60.0, 60.0]


async def test_a_hot_event_waits_for_itself_alone() -> None:
    inventory = SlowInventory(0.02)
    grants = waiting_room(inventory)
    hot = [asyncio.create_task(grants.grant(EVENT, wish())) for _ in range(30)]
    await asyncio.sleep(0)
    calm = wish()
    await grants.grant(uuid4(), calm)
    assert inventory.placed.index(calm.hold_id) < 2
    await asyncio.gather(*hot, return_exceptions=True)


def test_a_batch_that_was_held_up_once_foretells_little() -> None:
    """The bucket moved, or the disk paused: who comes afterwards is not refused for it."""
    queue = _Queue()
    for seconds in (0.01, 0.01, 3.0):
        queue.took(seconds)
    assert queue.batch_seconds < 0.02
    for _ in range(20):
        queue.took(3.0)
    assert queue.batch_seconds > 1.0, "What stays slow is believed."
