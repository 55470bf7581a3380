"""Which replica may serve a read: it has what the caller wrote, and is no older than the read's policy allows.

A replica's age is measured without clocks of other machines: now and then this process notes where the primary's log ends, and a
replica that has replayed as far is no older than the moment of that note. That holds as well when the replica has lost its primary,
which it cannot know of itself.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import Context
from time import monotonic
from typing import Generic, TypeVar

from chassis.consistency import Policy
from chassis.errors import StoreUnavailable
from chassis.logs import log

# Whoever wrote something waits so long for a replica to have it, and is served by the primary then.
PIN_WAIT_SECONDS, PIN_LOOK_SECONDS = 0.05, 0.01
# A replica that does not answer is left alone for a while: otherwise each read might wait for it again.
RESTS_SECONDS = 5.0
# While there are reads, the primary's position is noted so often at most, and forgotten after so long: whoever is older serves nobody.
NOTE_SECONDS, FORGET_SECONDS = 0.5, 300.0
# A replica that is too old is looked at so often at most.
LOOK_SECONDS = 0.1

Source = TypeVar("Source")

_LOG = log(__name__)


def position(lsn: str) -> int:
    """A position in the log, as Postgres writes it (`0/1A2B3C8`), as a number of bytes."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


class Replica(Generic[Source]):
    """One replica, as far as this process knows it. `source` is how it is reached."""

    def __init__(
        self, source: Source, primary_stands: Callable[[], Awaitable[int]], replayed: Callable[[Source], Awaitable[int]]
    ) -> None:
        self.source = source
        self._primary_stands = primary_stands
        self._ask_replayed = replayed
        self._replayed = 0
        self._notes: deque[tuple[float, int]] = deque()
        self._has_all_until = float("-inf")
        self._rests_until = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    @property
    def age_seconds(self) -> float:
        """It misses nothing that was written longer ago, as far as is known; infinite if nothing is."""
        return monotonic() - self._has_all_until

    @property
    def is_known(self) -> bool:
        """Whether anything is known of its age."""
        return self._has_all_until > float("-inf")

    @property
    def is_resting(self) -> bool:
        """Whether it did not answer a moment ago."""
        return monotonic() < self._rests_until

    def rest(self) -> None:
        """It does not answer."""
        self._rests_until = monotonic() + RESTS_SECONDS
        _LOG.warning("a replica does not answer, others are read from", seconds=RESTS_SECONDS)

    async def is_young(self, seconds: float) -> bool:
        """Whether it is no older. It is looked at beside the read while half of that time is left, and before it after that."""
        if self.age_seconds > seconds:
            await asyncio.shield(self._look())
        elif self.age_seconds > seconds / 2:
            self._look()
        return self.age_seconds <= seconds

    async def has(self, pin: int) -> bool:
        """Whether it has replayed what ends there, perhaps after a moment."""
        until = monotonic() + PIN_WAIT_SECONDS
        while self._replayed < pin:
            self._note_replayed(await self._ask_replayed(self.source))
            if self._replayed < pin:
                if monotonic() > until:
                    return False
                await asyncio.sleep(PIN_LOOK_SECONDS)
        return True

    def _look(self) -> "asyncio.Task[None]":
        """Looks once for all who wait for it."""
        if self._looking is None or (self._looking.done() and monotonic() - self._looked_at > LOOK_SECONDS):
            # Of no request: others wait for it, too, and its statements are nobody's.
            self._looking = asyncio.create_task(self._look_once(), context=Context())
        return self._looking

    async def _look_once(self) -> None:
        try:
            now = monotonic()
            if not self._notes or now - self._notes[-1][0] >= NOTE_SECONDS:
                self._notes.append((now, await self._primary_stands()))
            self._note_replayed(await self._ask_replayed(self.source))
        except StoreUnavailable:
            self.rest()
        self._looked_at = monotonic()
        while self._notes and self._looked_at - self._notes[0][0] > FORGET_SECONDS:
            self._notes.popleft()

    def _note_replayed(self, replayed: int) -> None:
        self._replayed = max(self._replayed, replayed)
        while self._notes and self._notes[0][1] <= self._replayed:
            self._has_all_until = self._notes.popleft()[0]

    async def stop(self) -> None:
        """Looks no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)


class Replicas(Generic[Source]):
    """All replicas of one primary."""

    def __init__(self, all_of_them: list[Replica[Source]]) -> None:
        self._all = all_of_them
        self._turn = 0

    def __bool__(self) -> bool:
        return bool(self._all)

    def __iter__(self) -> Iterator[Replica[Source]]:
        return iter(self._all)

    async def fit(self, policy: Policy, pin: str | None) -> AsyncIterator[Replica[Source]]:
        """Those that may serve a read, each beginning with another one; `pin` is what its caller has written."""
        self._turn += 1
        for at in range(len(self._all)):
            replica = self._all[(self._turn + at) % len(self._all)]
            if replica.is_resting:
                continue
            try:
                if await replica.is_young(policy.seconds or 0.0) and (pin is None or await replica.has(position(pin))):
                    yield replica
            except StoreUnavailable:
                replica.rest()
