"""Rooms of queues: whoever waits hears how far it is, as soon as web knows."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.frame.channel import Channel
from services.web.frame.rooms import Room, Rooms
from services.web.waiting.domain import NoWaitingRoom
from services.web.waiting.now_serving import NowServing
from tracing.spans import continued, current_traceparent

# The bus says that a queue has moved. That it was paused, or that places came back, is known to who asks.
LOOK_SECONDS = 1.0


class QueueRoom(Room):
    """How one sale stands, for everybody who waits."""

    def __init__(self, now_serving: NowServing, event_id: UUID) -> None:
        self._now_serving = now_serving
        self._event_id = event_id
        self._now: dict[str, Any] = {}
        self._woken = asyncio.Event()
        self._cause: str | None = None
        self.channel = Channel(lambda: self._now)

    def wake(self) -> None:
        """The queue has moved."""
        self._cause = self._cause or current_traceparent()
        self._woken.set()

    async def learn(self) -> None:
        """Asks how the sale stands. Raises NoWaitingRoom, ProviderUnavailable."""
        self._now = await self._now_serving.answer(self._event_id)

    async def run(self) -> None:
        """Sends what is otherwise."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            before = self._now
            # A sale that is gone, or that nobody can say anything of: what was said stays until there is more to say.
            with suppress(NoWaitingRoom, ProviderUnavailable, ProviderProblem):
                await self.learn()
            if self._now != before:
                self._send()
                await asyncio.sleep(self.pause_seconds)

    def _send(self) -> None:
        cause, self._cause = self._cause, None
        attributes = {"onsale.event_id": str(self._event_id), "onsale.listeners": len(self.channel)}
        with continued("web.tell_queue", cause, attributes):
            self.channel.publish(self._now)


def queue_rooms(now_serving: NowServing) -> Rooms[QueueRoom]:
    """The rooms of all queues that somebody waits in."""

    async def make(event_id: UUID) -> QueueRoom:
        return QueueRoom(now_serving, event_id)

    rooms = Rooms(make)

    def moved(event_id: UUID) -> None:
        if (room := rooms.of(event_id)) is not None:
            room.wake()

    now_serving.moved = moved
    return rooms
