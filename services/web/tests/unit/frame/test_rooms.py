"""Rooms: opened once for all who come, closed when the last has left, and never silent for ever."""

import asyncio
from uuid import UUID, uuid4

import pytest

from services.web.frame.channel import Channel
from services.web.frame.rooms import PAUSE_SECONDS_EACH, SHORTEST_PAUSE_SECONDS, Room, Rooms
from services.web.frame.streams import End, Listener

EVENT = uuid4()


class Sample(Room):
    """A room that is told by the test when it has learnt, and when it fails."""

    def __init__(self) -> None:
        self.channel = Channel(dict)
        self.learnt, self.fails = asyncio.Event(), asyncio.Event()
        self.is_running = False

    async def learn(self) -> None:
        await self.learnt.wait()

    async def run(self) -> None:
        self.is_running = True
        try:
            await self.fails.wait()
            raise RuntimeError("It has failed.")
        finally:
            self.is_running = False


class House:
    """Rooms, and all that were made."""

    def __init__(self) -> None:
        self.made: list[Sample] = []
        self.rooms: Rooms[Sample] = Rooms(self._make)

    async def _make(self, _event_id: UUID) -> Sample:
        self.made.append(Sample())
        return self.made[-1]

    async def stay(self, until: asyncio.Event, listener: Listener | None = None) -> None:
        async with self.rooms.joined(EVENT, listener or Listener()):
            await until.wait()


async def soon() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_come_at_once_share_one_room_which_ends_with_the_last_of_them() -> None:
    house, leave = House(), [asyncio.Event() for _ in range(3)]
    staying = [asyncio.create_task(house.stay(each)) for each in leave]
    await soon()
    (room,) = house.made
    assert (len(room.channel), room.is_running, house.rooms.of(EVENT)) == (0, False, room)
    room.learnt.set()
    await soon()
    assert (len(room.channel), room.is_running, len(house.made)) == (3, True, 1)
    for each in leave:
        assert room.is_running
        each.set()
        await soon()
    await asyncio.gather(*staying)
    assert (room.is_running, house.rooms.of(EVENT)) == (False, None)


async def test_who_leaves_while_a_room_opens_takes_it_away_from_nobody() -> None:
    house, leave = House(), asyncio.Event()
    first = asyncio.create_task(house.stay(asyncio.Event()))
    await soon()
    second = asyncio.create_task(house.stay(leave))
    await soon()
    first.cancel()
    await soon()
    assert len(house.made) == 2
    house.made[1].learnt.set()
    await soon()
    assert len(house.made[1].channel) == 1
    leave.set()
    await second
    assert house.rooms.of(EVENT) is None


async def test_a_room_that_cannot_learn_is_not_kept() -> None:
    class Failing(Sample):
        async def learn(self) -> None:
            raise LookupError

    async def make(_event_id: UUID) -> Failing:
        return Failing()

    rooms = Rooms(make)
    with pytest.raises(LookupError):
        async with rooms.joined(EVENT, Listener()):
            pass
    assert rooms.of(EVENT) is None


async def test_nobody_is_left_listening_to_a_room_that_failed() -> None:
    house, listener, leave = House(), Listener(), asyncio.Event()
    staying = asyncio.create_task(house.stay(leave, listener))
    await soon()
    house.made[0].learnt.set()
    await soon()
    house.made[0].fails.set()
    await soon()
    assert listener.end is End.RESTART
    again = asyncio.create_task(house.stay(leave))
    await soon()
    assert len(house.made) == 2
    house.made[1].learnt.set()
    leave.set()
    await asyncio.gather(staying, again)
    assert house.rooms.of(EVENT) is None


async def test_a_full_room_sends_more_rarely() -> None:
    room = Sample()
    assert room.pause_seconds == SHORTEST_PAUSE_SECONDS
    room.channel._listeners = {Listener() for _ in range(5000)}
    assert room.pause_seconds == 5000 * PAUSE_SECONDS_EACH
