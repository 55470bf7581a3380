"""Workers: loops that do what rows say is due."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from chassis.logs import log
from tracing.instruments import WORKER_STEP
from tracing.metrics import Metrics

ERROR_PAUSE_SECONDS = 1.0

_LOG = log(__name__)


class Worker:
    """Calls `step` every `every_seconds`, at once while it returns a whole `batch`, and whenever it is woken.

    A step does a bounded batch and returns how much it did: less than that has left nothing that was due. What it raises is
    logged, and it is called again.
    """

    def __init__(self, name: str, step: Callable[[], Awaitable[int]], every_seconds: float, batch: int = 1) -> None:
        self.name = name
        self._step = step
        self._every_seconds = every_seconds
        self._batch = batch
        self._woken = asyncio.Event()
        self.metrics: Metrics | None = None

    def wake(self) -> None:
        """Says that there is work now."""
        self._woken.set()

    async def run(self) -> None:
        """Works for ever; cancelled at shutdown."""
        while True:
            self._woken.clear()
            try:
                while await self._do_step() >= self._batch:
                    pass
            except Exception as error:  # noqa: BLE001  # the rows are still there, the next round tries again
                _LOG.warning("a worker's step failed", worker=self.name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(ERROR_PAUSE_SECONDS)
            try:
                async with asyncio.timeout(self._every_seconds):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _do_step(self) -> int:
        started = perf_counter()
        error = ""
        done = 0
        try:
            done = await self._step()
        except Exception as failure:
            error = type(failure).__name__
            raise
        finally:
            if self.metrics and (done or error):
                attributes = {"onsale.worker": self.name} | ({"error.type": error} if error else {})
                self.metrics.record(WORKER_STEP, perf_counter() - started, attributes)
        return done
