"""A worker does what is due, batch by batch, and then waits until it is woken."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from chassis.worker import Worker

FOR_EVER_SECONDS = 3600.0
TURNS = 20


class Steps:
    """A step that does so much at each call, counts its calls, and says when it was called as often as that."""

    def __init__(self, *done: int) -> None:
        self._done: Iterator[int] = iter(done)
        self._expected = len(done) - 1
        self.calls = 0
        self.all_called = asyncio.Event()
        self.worker = Worker("steps", self, FOR_EVER_SECONDS, batch=3)

    async def __call__(self) -> int:
        self.calls += 1
        if self.calls == self._expected:
            self.all_called.set()
        return next(self._done)

    async def calls_in_the_end(self) -> int:
        running = asyncio.create_task(self.worker.run())
        async with asyncio.timeout(20):
            await self.all_called.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return self.calls


async def test_a_step_is_repeated_while_it_does_whole_batches() -> None:
    assert await Steps(3, 3, 2, 3).calls_in_the_end() == 3


async def test_what_wakes_a_worker_while_it_works_is_not_lost() -> None:
    class Woken(Steps):
        async def __call__(self) -> int:
            if self.calls == 0:
                self.worker.wake()
            return await super().__call__()

    assert await Woken(1, 1, 1).calls_in_the_end() == 2
