"""How many orders are placed at the same moment: in a rush whoever has places comes first, and pays; newcomers wait their turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tracing.spans import span

# Of this process, and of one event, which cannot keep the others out. More at once would not be served sooner: they would wait in
# the services behind, in front of those who want another event.
MOST_AT_ONCE, MOST_OF_AN_EVENT = 8, 4
MOST_WAITING = 256
# As many of those who wait may be of one event as of those who are served.
MOST_WAITING_OF_AN_EVENT = MOST_WAITING * MOST_OF_AN_EVENT // MOST_AT_ONCE
WAIT_SECONDS = 5.0


class TooManyAtOnce(Exception):
    """Very many place orders at this moment, and this one's turn would not come soon."""

    retry_after_seconds = 3


class Turns:
    """Lets so many go on at the same time, the others in the order in which they came."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(MOST_AT_ONCE)
        self._events: dict[UUID, asyncio.Semaphore] = {}
        self._interested: Counter[UUID] = Counter()

    @asynccontextmanager
    async def turn(self, event_id: UUID) -> AsyncIterator[None]:
        """The block is run when it is its turn. Raises TooManyAtOnce at once if too many wait, or after `WAIT_SECONDS`."""
        if (
            self._interested.total() >= MOST_AT_ONCE + MOST_WAITING
            or self._interested[event_id] >= MOST_OF_AN_EVENT + MOST_WAITING_OF_AN_EVENT
        ):
            raise TooManyAtOnce
        needed = self._of_event(event_id), self._all
        self._interested[event_id] += 1
        try:
            await self._wait(event_id, needed)
            try:
                yield
            finally:
                for each in needed:
                    each.release()
        finally:
            self._interested[event_id] -= 1
            if not self._interested[event_id]:
                del self._interested[event_id]
                self._events.pop(event_id, None)

    def _of_event(self, event_id: UUID) -> asyncio.Semaphore:
        """The turns of an event, which are its own."""
        return self._events.setdefault(event_id, asyncio.Semaphore(MOST_OF_AN_EVENT))

    async def _wait(self, event_id: UUID, needed: tuple[asyncio.Semaphore, ...]) -> None:
        """Waits for a place among both; a trace shows it only if there is something to wait for."""
        if not any(each.locked() for each in needed):
            await _take(needed)
            return
        attributes = {"onsale.event_id": str(event_id), "onsale.waiting": self._interested.total()}
        with span("web.wait_for_turn", attributes):
            await _take(needed)


async def _take(needed: tuple[asyncio.Semaphore, ...]) -> None:
    """Takes all or none."""
    taken: list[asyncio.Semaphore] = []
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            for each in needed:
                await each.acquire()
                taken.append(each)
    except BaseException as error:
        for each in taken:
            each.release()
        if isinstance(error, TimeoutError):
            raise TooManyAtOnce from error
        raise
