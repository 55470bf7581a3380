"""Group commit: requests for one event that wait at the same moment are granted together in one transaction.

A hot row is capped at about one commit at a time, since its lock is held through the disk's flush: a thousand holds a second
one by one. Granted together it is more than ten thousand, and a lone request waits for nobody.
"""

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from chassis.db import written_pin
from chassis.deadline import remaining_seconds, without_deadline
from services.inventory.domain import Busy, InventoryError, Wish
from services.inventory.service import Hold, Inventory
from tracing.spans import continued, current_traceparent, link_of, link_to, note, note_error, span

BATCH = 256
LONGEST_QUEUE = 4096
# Whoever would wait longer is refused at once: an honest refusal now is worth more than a place that comes too late to be shown.
LONGEST_WAIT_SECONDS = 0.8
# How much the last batch counts in what the next one is expected to take. One that took far longer than usual was held up by something
# that is over (its bucket moved, the disk paused), and does not foretell as much.
WEIGHT, MOST_TIMES_AS_LONG = 0.2, 4
# The scaler reads the load every few seconds.
PEAK_SECONDS = 15.0


@dataclass
class _Waiting:
    """A request that waits for its answer: the span in which it does, the one in which it was answered, and what was written there."""

    wish: Wish
    answer: asyncio.Future[Hold]
    waits_in: str | None
    answered_in: str | None = None
    pin: str | None = None


@dataclass
class _Queue:
    """Those who wait for one event, and how long a batch of them takes: about as long as another one, however many are in it."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    batch_seconds: float = 0.0
    is_serving: bool = False

    def expected_seconds(self) -> float:
        """How long whoever comes now would wait."""
        return (self.is_serving + math.ceil(len(self.waiting) / BATCH)) * self.batch_seconds

    def next_batch(self) -> list[_Waiting]:
        """Those who have waited longest. Whose deadline has passed meanwhile gets no place: nobody would know of it."""
        batch: list[_Waiting] = []
        while self.waiting and len(batch) < BATCH:
            first = self.waiting.popleft()
            if not first.answer.done():
                batch.append(first)
        self.is_serving = bool(batch)
        return batch

    def took(self, seconds: float) -> None:
        """The batch in flight is served."""
        self.is_serving = False
        if not self.batch_seconds:
            self.batch_seconds = seconds
        self.batch_seconds += WEIGHT * (min(seconds, MOST_TIMES_AS_LONG * self.batch_seconds) - self.batch_seconds)


class Granting:
    """One queue per event, one batch of it in flight: a hot event waits for itself alone."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._queues: dict[UUID, _Queue] = {}
        self._running: dict[UUID, asyncio.Task[None]] = {}
        # Until an event has a batch of its own, as it was with the last one.
        self._usual_batch_seconds = 0.0
        self._most = 0
        self._most_at = float("-inf")

    def most_waiting(self) -> int:
        """The most that waited at once, for all events together, within the last seconds: a queue lives for milliseconds."""
        self._note_waiting()
        return self._most

    def wait_seconds(self, event_id: UUID) -> float:
        """How long whoever comes now would wait here for places of an event."""
        queue = self._queues.get(event_id)
        return queue.expected_seconds() if queue else 0.0

    async def grant(self, event_id: UUID, wish: Wish) -> Hold:
        """The hold. Raises what inventory refuses with, and `Busy` if those who wait already would take too long."""
        attributes = {"onsale.event_id": str(event_id), "onsale.order_id": str(wish.order_id)}
        places: dict[str, str | int] = {"onsale.hold_id": str(wish.hold_id), "onsale.places": wish.count}
        if wish.pass_id is not None:
            places["onsale.pass_id"] = str(wish.pass_id)
        # Each wish has a span of its own beside that of the batch, which belongs to the trace of the first wish.
        with span("inventory.hold_places", attributes | places) as current:
            await self._inventory.refuse_at_once(event_id, wish)
            waiting = self._queue(event_id, wish)
            try:
                hold = await waiting.answer
                # The batch has a context of its own: without this no caller would hear how far a replica must be to show the hold.
                written_pin.set(waiting.pin)
            finally:
                link_to(current, waiting.answered_in, "answered in")
            note({"onsale.hold_state": hold.state.value, "onsale.duplicate": None if hold.new else True})
            return hold

    def _queue(self, event_id: UUID, wish: Wish) -> _Waiting:
        queue = self._queues.get(event_id) or _Queue(batch_seconds=self._usual_batch_seconds)
        expected = queue.expected_seconds()
        if len(queue.waiting) >= LONGEST_QUEUE or expected > remaining_seconds(LONGEST_WAIT_SECONDS):
            raise Busy(max(1, math.ceil(expected)))
        answer: asyncio.Future[Hold] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(wish, answer, current_traceparent())
        queue.waiting.append(waiting)
        self._queues[event_id] = queue
        self._note_waiting()
        if event_id not in self._running:
            # It serves whoever comes behind as well: the deadline of the first one is not theirs.
            run = self._run(event_id, queue)
            self._running[event_id] = asyncio.create_task(run, context=without_deadline())
        return waiting

    def _note_waiting(self) -> None:
        waiting = sum(len(queue.waiting) for queue in self._queues.values())
        now = time.monotonic()
        if waiting >= self._most or now - self._most_at > PEAK_SECONDS:
            self._most, self._most_at = waiting, now

    async def _run(self, event_id: UUID, queue: _Queue) -> None:
        try:
            while batch := queue.next_batch():
                began = time.monotonic()
                await self._serve(event_id, batch)
                queue.took(time.monotonic() - began)
                self._usual_batch_seconds = queue.batch_seconds
        finally:
            # No await between the last look at the queue and this: nobody can be left waiting.
            del self._running[event_id]
            del self._queues[event_id]

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
            each.pin = written_pin.get()
            if each.answer.done():
                continue
            if isinstance(outcome, InventoryError):
                each.answer.set_exception(outcome)
            else:
                each.answer.set_result(outcome)
