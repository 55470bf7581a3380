"""How a waiting room stands, for a whole crowd: the number that all share is asked for once a second, as a proxy would.

Ten thousand browsers ask for *now serving* every two seconds, and a proxy, which may keep it for a second, sends one of these
questions on. So one question a second is what the shop sees of them, and what a driver beside it can afford.
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from local.bench.crowd import Answered
from rehearsal.crowd.record import Record

ASK_SECONDS = 1.0
# So many join at the same time, and so many look up their number after the draw. Whose turn it is waits for nobody.
MOST_JOINING, MOST_LOOKING = 20, 40
NOT_FOUND = 404
OK = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """What all waiting pages are shown. `rate`: people a minute."""

    serving: int
    state: str
    places: str
    rate: float

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """What an answer says of it. A page may be told more, of which a rehearsal makes nothing."""
        return cls(**{each.name: answer[each.name] for each in fields(cls)})

    @property
    def is_drawn(self) -> bool:
        """Whether lots are drawn, so that everybody has a number."""
        return self.state not in {"announced", "doors_open"}

    @property
    def is_over(self) -> bool:
        """Whether nobody can get in any more: all is sold, or the waiting room is closed."""
        return self.places == "none" or self.state == "ended"


class Lobby:
    """The waiting room of one event, as those who wait in it see it together."""

    def __init__(self, http: aiohttp.ClientSession, event_url: str, record: Record) -> None:
        self._http = http
        self._url = f"{event_url}/queue/serving"
        self._record = record
        self._numbers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._drawn, self._over = asyncio.Event(), asyncio.Event()
        self.way_in = f'href="{urlsplit(event_url).path}/queue"'
        self.shown = Shown(0, "announced", "free", 0.0)
        self.joining, self.looking = asyncio.Semaphore(MOST_JOINING), asyncio.Semaphore(MOST_LOOKING)

    async def watch(self) -> None:
        """Asks again and again, until it is cancelled, or there turns out to be no waiting room."""
        while True:
            if not await self._ask():
                return
            await asyncio.sleep(ASK_SECONDS)

    async def _ask(self) -> bool:
        """Asks once. False if this event has no waiting room; what cannot be asked now is asked a second later."""
        began = time.perf_counter()
        try:
            async with self._http.get(self._url) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self._record.notice(Answered("GET", self._url, 0, time.perf_counter() - began, "", type(error).__name__))
            return True
        trace_id = answer.headers.get("x-trace-id", "")
        if answer.status != NOT_FOUND:
            seconds = time.perf_counter() - began
            self._record.notice(Answered("GET", self._url, answer.status, seconds, trace_id, ""))
        if answer.status == OK:
            self.take(Shown.of(json.loads(text)))
        return answer.status != NOT_FOUND

    def take(self, shown: Shown) -> None:
        """What was shown last. Whoever waited for it goes on."""
        self.shown = shown
        self._record.note_seen(shown.serving, shown.rate, shown.state, shown.places)
        if shown.is_drawn or shown.is_over:
            self._drawn.set()
        if shown.is_over:
            self._over.set()
        while self._numbers and (shown.is_over or self._numbers[0][0] <= shown.serving):
            _, _, turn = heapq.heappop(self._numbers)
            if not turn.done():
                turn.set_result(None)

    async def until_drawn(self) -> None:
        """Returns when lots are drawn, or nobody can get in any more."""
        await self._drawn.wait()

    async def until_over(self, at_most_seconds: float) -> None:
        """Returns when nobody can get in any more, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_seconds):
                await self._over.wait()

    async def until_served(self, number: int) -> None:
        """Returns when it is that number's turn, or nobody can get in any more."""
        if self.shown.serving >= number or self.shown.is_over:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._numbers, (number, next(self._order), turn))
        await turn
