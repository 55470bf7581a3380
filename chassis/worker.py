"""Workers: loops that do what rows say is due."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.logs import log

ERROR_PAUSE_SECONDS = 1.0

_LOG = log(__name__)


class Worker:
    """Calls `step` every `every_seconds`, at once while it returns more than 0, and whenever it is woken.

    A step does a bounded batch and returns how much it did. What it raises is logged, and it is called again.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[int]], every_seconds: float) -> None:
        self.name = name
        self._step = step
        self._every_seconds = every_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Says that there is work now."""
        self._woken.set()

    async def run(self) -> None:
        """Works for ever; cancelled at shutdown."""
        while True:
            self._woken.clear()
            try:
                while await self._step() > 0:
                    pass
            except Exception as error:  # noqa: BLE001  # the rows are still there, the next round tries again
                _LOG.warning("a worker's step failed", worker=self.name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(ERROR_PAUSE_SECONDS)
            try:
                async with asyncio.timeout(self._every_seconds):
                    await self._woken.wait()
            except TimeoutError:
                continue
