"""A crowd on a thread of its own, for a driver that is not made of asyncio, such as Locust."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from rehearsal.crowd.buyer import RehearsedBuyer, Stage
from rehearsal.crowd.driver import stage_for
from rehearsal.crowd.plan import crowd_of
from rehearsal.crowd.record import End, Record, Request

MOST_PEOPLE = 100_000
READY_SECONDS = 30.0


class CrowdAside:
    """Buyers of one event, one after another, as many at once as visits are begun. A context manager."""

    def __init__(self, record: Record, event_id: str, hold_seconds: float, log: Path, seed: int = 1) -> None:
        self.record = record
        self._event_id = event_id
        self._hold_seconds = hold_seconds
        self._log = log
        self._people = iter(crowd_of(MOST_PEOPLE, seed, 0.0, 0.0))
        self._heard = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="crowd", daemon=True)
        self._stack = AsyncExitStack()
        self._stage: Stage | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._stage = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(READY_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._loop).result(READY_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(READY_SECONDS)
        self._loop.close()

    @property
    def is_over(self) -> bool:
        """Whether nothing can be had any more."""
        return self._stage is not None and self._stage.is_sold_out

    def visit(self) -> Future[End]:
        """The next person comes. Cancelled, they are gone at once."""
        return asyncio.run_coroutine_threadsafe(self._visit(), self._loop)

    def heard(self) -> list[Request]:
        """The requests that were answered since this was asked last."""
        found = self.record.requests[self._heard :]
        self._heard += len(found)
        return found

    async def _open(self) -> Stage:
        return await self._stack.enter_async_context(
            stage_for(self.record, self._event_id, self._hold_seconds, self._log)
        )

    async def _visit(self) -> End:
        if self._stage is None:
            raise RuntimeError("The crowd is not there yet: enter its context first.")
        self.record.arrived += 1
        end = await RehearsedBuyer(self._stage, next(self._people)).visit()
        self.record.ends[end] += 1
        return end
