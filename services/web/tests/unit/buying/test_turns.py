"""In a rush orders are placed some at a time, in the order in which people came, and no event keeps the others out."""

import asyncio
from uuid import UUID, uuid4

import pytest

from services.web.buying import turns
from services.web.buying.turns import TooManyAtOnce, Turns

HOT = uuid4()


class Rush:
    """People who place orders, and how many do so at the same moment."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.may_end = asyncio.Event()
        self.inside: list[UUID] = []

    async def order(self, event_id: UUID) -> None:
        async with self.turns.turn(event_id):
            self.inside.append(event_id)
            await self.may_end.wait()
            self.inside.remove(event_id)

    async def start(self, event_id: UUID, count: int) -> list[asyncio.Task[None]]:
        begun = [asyncio.create_task(self.order(event_id)) for _ in range(count)]
        await asyncio.sleep(0.02)
        return begun


async def test_a_hot_event_leaves_room_for_others() -> None:
    rush = Rush()
    hot = await rush.start(HOT, 50)
    assert len(rush.inside) == turns.MOST_OF_AN_EVENT
    calm = await rush.start(uuid4(), 3)
    assert len(rush.inside) == turns.MOST_OF_AN_EVENT + 3
    others = await rush.start(uuid4(), 10)
    assert len(rush.inside) == turns.MOST_AT_ONCE
    rush.may_end.set()
    await asyncio.gather(*hot, *calm, *others)
    assert not rush.turns._events
    assert not rush.turns._interested


async def test_whoever_would_wait_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.05)
    rush = Rush()
    first = await rush.start(HOT, turns.MOST_OF_AN_EVENT)
    with pytest.raises(TooManyAtOnce):
        await asyncio.wait_for(rush.order(HOT), 20)
    rush.may_end.set()
    await asyncio.gather(*first)
    await rush.order(HOT)


async def test_no_more_wait_than_can_be_served_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 5)
    rush = Rush()
    crowds = [await rush.start(uuid4(), 1) for _ in range(turns.MOST_AT_ONCE + 5)]
    with pytest.raises(TooManyAtOnce):
        await asyncio.wait_for(rush.order(uuid4()), 20)
    rush.may_end.set()
    await asyncio.gather(*(each for crowd in crowds for each in crowd))


async def test_a_hot_event_takes_all_places_for_waiting_from_nobody() -> None:
    rush = Rush()
    hot = await rush.start(HOT, turns.MOST_AT_ONCE + turns.MOST_WAITING)
    with pytest.raises(TooManyAtOnce):
        await asyncio.wait_for(rush.order(HOT), 20)
    calm = uuid4()
    others = await rush.start(calm, 3)
    assert rush.inside.count(calm) == 3
    rush.may_end.set()
    await asyncio.gather(*hot, *others, return_exceptions=True)
