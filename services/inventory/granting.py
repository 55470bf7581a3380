"""Group commit: requests for one event that wait at the same moment are granted together in one transaction.

A hot row is capped at about one commit at a time, since its lock is held through the disk's flush: a thousand holds a second
one by one. Granted together it is more than ten thousand, and a lone request waits for nobody.
"""

import asyncio
import time
from collections import defaultdict, deque
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import Link

from services.inventory.domain import Busy, InventoryError, Want
from services.inventory.service import Hold, Inventory
from tracing.spans import tracer

BATCH = 256
LONGEST_QUEUE = 4096
# Whoever looks how loaded this is looks every few seconds.
PEAK_SECONDS = 15.0


class Granting:
    """One queue per event, one batch of it in flight."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._waiting: dict[UUID, deque[tuple[Want, asyncio.Future[Hold], Link]]] = defaultdict(deque)
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._most = 0
        self._most_at = float("-inf")

    def most_waiting(self) -> int:
        """The most that waited at once, for all events together, within the last seconds: a queue lives for milliseconds."""
        self._note_waiting()
        return self._most

    async def grant(self, event_id: UUID, want: Want) -> Hold:
        """The hold. Raises what inventory refuses with, and `Busy` if too many wait already."""
        queue = self._waiting[event_id]
        if len(queue) >= LONGEST_QUEUE:
            raise Busy
        answer: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()
        queue.append((want, answer, Link(trace.get_current_span().get_span_context())))
        self._note_waiting()
        if event_id not in self._running:
            self._running[event_id] = asyncio.create_task(self._run(event_id))
        return await answer

    def _note_waiting(self) -> None:
        waiting = sum(len(queue) for queue in self._waiting.values())
        now = time.monotonic()
        if waiting >= self._most or now - self._most_at > PEAK_SECONDS:
            self._most, self._most_at = waiting, now

    async def _run(self, event_id: UUID) -> None:
        queue = self._waiting[event_id]
        try:
            while queue:
                batch = [queue.popleft() for _ in range(min(BATCH, len(queue)))]
                await self._serve(event_id, batch)
        finally:
            # No await between the last look at the queue and this: nobody can be left waiting.
            del self._running[event_id]
            del self._waiting[event_id]

    async def _serve(self, event_id: UUID, batch: list[tuple[Want, asyncio.Future[Hold], Link]]) -> None:
        # The task began in the trace of the first who came; a batch of several belongs to all of them, hence the links.
        links = [link for _, _, link in batch[1:]] if len(batch) > 1 else []
        with tracer().start_as_current_span("inventory.grant_together", links=links) as span:
            span.set_attribute("onsale.batch", len(batch))
            try:
                answers = await self._inventory.place_holds(event_id, [want for want, _, _ in batch])
            except Exception as error:  # noqa: BLE001  # every waiter is told, none may wait for ever
                for _, answer, _ in batch:
                    if not answer.done():
                        answer.set_exception(error)
                return
        for (_, answer, _), outcome in zip(batch, answers, strict=True):
            if answer.done():
                continue
            if isinstance(outcome, InventoryError):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
