"""Rooms: everybody who listens to one thing hears of it together, for as long as somebody listens."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Generic, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from chassis.logs import log
from services.web.frame.channel import Channel
from services.web.frame.streams import End, Listener

_LOG = log(__name__)

# To send a message to somebody takes some tens of microseconds. A room that is full sends more rarely, so that it takes at most about
# half of a processor.
SHORTEST_PAUSE_SECONDS = 0.1
PAUSE_SECONDS_EACH = 0.0001


class Room(ABC):
    """One thing that is listened to."""

    channel: Channel

    @abstractmethod
    async def learn(self) -> None:
        """Asks how it stands, before the first listener hears it. Raises what asking raises."""

    @abstractmethod
    async def run(self) -> None:
        """Sends what changes, until it is cancelled."""

    @property
    def pause_seconds(self) -> float:
        """How long it gathers changes after it has sent some."""
        return max(SHORTEST_PAUSE_SECONDS, len(self.channel) * PAUSE_SECONDS_EACH)


R = TypeVar("R", bound=Room)


class Rooms(Generic[R]):
    """The rooms that somebody is in, by event."""

    def __init__(self, make: Callable[[UUID], Awaitable[R]]) -> None:
        self._make = make
        self._rooms: dict[UUID, R] = {}
        self._opening: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._running: dict[UUID, asyncio.Task[None]] = {}

    def of(self, event_id: UUID) -> R | None:
        """The room of an event; None if nobody is in it."""
        return self._rooms.get(event_id)

    @asynccontextmanager
    async def joined(self, event_id: UUID, listener: Listener, have: str = "") -> AsyncIterator[None]:
        """Lets a listener hear everything as long as the block lasts, and what was missed since it had the version `have`."""
        room = await self._room(event_id)
        try:
            with room.channel.joined(listener, have):
                yield
        finally:
            if not len(room.channel):
                self._close(event_id, room)

    async def _room(self, event_id: UUID) -> R:
        """The room; the first who comes opens it, and others who come meanwhile wait for that."""
        async with self._opening.setdefault(event_id, asyncio.Lock()):
            if (room := self._rooms.get(event_id)) is None:
                room = await self._make(event_id)
                # What is said from now on it hears, also while it asks.
                self._rooms[event_id] = room
                try:
                    await room.learn()
                except BaseException:
                    del self._rooms[event_id]
                    raise
                # The task gets an empty context: the room outlives the request, and the trace, of who came first.
                self._running[event_id] = asyncio.create_task(self._run(event_id, room), context=Context())
            return room

    async def _run(self, event_id: UUID, room: R) -> None:
        try:
            await room.run()
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody may be left listening to nothing
            _LOG.exception("a room ended", event_id=str(event_id), error=type(error).__name__)
            self._close(event_id, room)
            # They come back to a new one.
            room.channel.end(End.RESTART)

    def _close(self, event_id: UUID, room: R) -> None:
        if self._rooms.get(event_id) is room:
            del self._rooms[event_id]
            self._running.pop(event_id).cancel()
