"""One person's way through a waiting room: joining, the draw, waiting for one's number, coming in or missing it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from local.bench.crowd import PurchaseFailed, Visitor, form_to
from rehearsal.crowd.lobby import Lobby
from rehearsal.crowd.plan import Person
from rehearsal.crowd.record import End, GaveUp, Record, Waited

PAUSE_SECONDS = 1.0
_PHASE = re.compile(r'data-phase="([^"]*)"')
_NUMBER = re.compile(r'data-number="(\d+)"')
_SECONDS_LEFT = re.compile(r'data-seconds-left="(\d+)"')
_REFUSING = frozenset({409, 410, 429, 503})

Page = tuple[str, str]
Press = Callable[[str, list[tuple[str, str]]], Awaitable[Page]]


class Waiting:
    """Goes in by the waiting room, as often as it takes. `press` sends a form as this person does."""

    def __init__(self, lobby: Lobby, record: Record, person: Person, visitor: Visitor, press: Press) -> None:
        self._lobby = lobby
        self._record = record
        self._visitor = visitor
        self._press = press
        self._joins_again = person.joins_again
        self._misses_turn = person.misses_turn
        self._queue_url = ""
        self._since: float | None = None
        self._number = 0

    async def come_in(self, event_url: str) -> Page:
        """The event's page, with a pass. Raises GaveUp when nobody can get in any more, or this person does not want to."""
        self._queue_url = f"{event_url}/queue"
        try:
            while not self._lobby.shown.is_over:
                try:
                    if page := await self._step():
                        return page
                except PurchaseFailed as refused:
                    if refused.status not in _REFUSING:
                        raise
                    await asyncio.sleep(max(PAUSE_SECONDS, refused.retry_after_seconds))
            raise GaveUp(End.SOLD_OUT)
        finally:
            self._leave()

    async def _step(self) -> Page | None:
        """Looks at the own page of the waiting room, and does what it says. The event's page, if it leads there."""
        async with self._gate():
            url, page = await self._visitor.go(self._queue_url)
        if url != self._queue_url:
            return url, page  # there is no waiting room any more
        phase = _PHASE.search(page)
        match phase[1] if phase else "":
            case "join" | "missed" | "done":
                await self._join(url, page)
            case "equal":
                await self._lobby.until_drawn()
            case "waiting" | "in_carts" | "paused":
                self._number = int(_found(_NUMBER, page))
                await self._lobby.until_served(self._number)
            case "turn" | "inside" if self._misses_turn:
                await self._miss(page)
            case "turn" | "inside":
                return await self._enter(url, page)
            case "sold_out" | "over":
                raise GaveUp(End.SOLD_OUT)
            case _:  # the doors are closed, or the number comes in a moment
                await asyncio.sleep(PAUSE_SECONDS)
        return None

    def _gate(self) -> AbstractAsyncContextManager[object]:
        """How many look at their own page at the same time: first those who join, then those who want to know their number."""
        if self._since is None:
            return self._lobby.joining
        return nullcontext() if self._number else self._lobby.looking

    async def _join(self, url: str, page: str) -> None:
        async with self._lobby.joining:
            await self._press(*form_to(url, page, "/queue"))
        if self._since is None:
            self._since = self._record.now
            self._record.waiting += 1

    async def _miss(self, page: str) -> None:
        """It is their turn, and they do not look. Half of them find out later, and join once more."""
        self._misses_turn = False
        self._leave()
        await self._lobby.until_over(float(_found(_SECONDS_LEFT, page)) + PAUSE_SECONDS)
        if not self._joins_again:
            raise GaveUp(End.MISSED)

    async def _enter(self, url: str, page: str) -> Page:
        found = await self._press(*form_to(url, page, "/pass"))
        if self._since is not None:
            waited = self._record.now - self._since
            self._record.waits.append(Waited(self._record.now, waited, self._number, self._visitor.trace_id))
        return found

    def _leave(self) -> None:
        if self._since is not None:
            self._record.waiting -= 1
            self._since = None
        self._number = 0


def _found(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise PurchaseFailed(f"no {pattern.pattern.partition('=')[0]} in the waiting room")
    return found[1]
