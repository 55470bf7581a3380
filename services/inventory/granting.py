"""Group commit: requests for one event that wait at the same moment are granted together in one transaction.

A hot row is capped at about one commit at a time, since its lock is held through the disk's flush: a thousand holds a second
one by one. Granted together it is more than ten thousand, and a lone request waits for nobody.
"""

import asyncio
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from uuid import UUID

from services.inventory.domain import Busy, InventoryError, Wish
from services.inventory.service import Hold, Inventory
from tracing.spans import continued, current_traceparent, link_of, link_to, note, note_error, span

BATCH = 256
LONGEST_QUEUE = 4096
# The scaler reads the load every few seconds.
PEAK_SECONDS = 15.0


@dataclass
class _Waiting:
    """A request that waits for its answer: the span in which it does, and the one in which it was answered."""

    wish: Wish
    answer: asyncio.Future[Hold]
    waits_in: str | None
    answered_in: str | None = None


class Granting:
    """One queue per event, one batch of it in flight."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._waiting: dict[UUID, deque[_Waiting]] = defaultdict(deque)
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._most = 0
        self._most_at = float("-inf")

    def most_waiting(self) -> int:
        """The most that waited at once, for all events together, within the last seconds: a queue lives for milliseconds."""
        self._note_waiting()
        return self._most

    async def grant(self, event_id: UUID, wish: Wish) -> Hold:
        """The hold. Raises what inventory refuses with, and `Busy` if too many wait already."""
        attributes = {"onsale.event_id": str(event_id), "onsale.order_id": str(wish.order_id)}
        places = {"onsale.hold_id": str(wish.hold_id), "onsale.places": wish.count}
        # Each wish has a span of its own beside that of the batch, which belongs to the trace of the first wish.
        with span("inventory.hold_places", attributes | places) as current:
            waiting = self._queue(event_id, wish)
            try:
                hold = await waiting.answer
            finally:
                link_to(current, waiting.answered_in, "answered in")
            note({"onsale.hold_state": hold.state.value, "onsale.duplicate": None if hold.new else True})
            return hold

    def _queue(self, event_id: UUID, wish: Wish) -> _Waiting:
        queue = self._waiting[event_id]
        if len(queue) >= LONGEST_QUEUE:
            raise Busy
        answer: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(wish, answer, current_traceparent())
        queue.append(waiting)
        self._note_waiting()
        if event_id not in self._running:
            self._running[event_id] = asyncio.create_task(self._run(event_id))
        return waiting

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

    async def _serve(self, event_id: UUID, batch: list[_Waiting]) -> None:
        # The task may have begun for a caller who is gone: a batch belongs to the trace of its first wish, and links to the others.
        links = [link for each in batch[1:] if (link := link_of(each.waits_in, "waits for"))]
        attributes = {"onsale.event_id": str(event_id), "onsale.batch": len(batch)}
        with continued("inventory.grant_together", batch[0].waits_in, attributes, links=links) as current:
            for each in batch[1:]:
                each.answered_in = current_traceparent()
            try:
                answers = await self._inventory.place_holds(event_id, [each.wish for each in batch])
            except Exception as error:  # noqa: BLE001  # every waiter gets an answer, none may wait for ever
                note_error(current, error)
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(error)
                return
        for each, outcome in zip(batch, answers, strict=True):
            if each.answer.done():
                continue
            if isinstance(outcome, InventoryError):
                each.answer.set_exception(outcome)
            else:
                each.answer.set_result(outcome)
