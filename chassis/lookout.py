"""One small question for all that a service remembers, instead of one for each of its workers: is anything due?

A worker is woken for what its own process wrote, or when the time of what waits has come. While nothing waits and this process
writes nothing, only another process can leave work behind, by dying: then it is looked for rarely.
"""

from time import monotonic

from chassis.db import Database
from chassis.statements import text
from chassis.work import Queue, is_due
from chassis.worker import Worker

REST_SECONDS = 5.0


class Lookout:
    """The step of a worker: wakes the workers whose queues have something that is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: dict[Queue, Worker] = {}
        self._writes_seen = -1
        self._rests_until = float("-inf")

    def wakes(self, queue: Queue, worker: Worker) -> Worker:
        """Lets this worker be woken for what this queue has. Returns the worker."""
        self._workers[queue] = worker
        return worker

    async def __call__(self) -> int:
        """Looks, unless nothing can have come. Always 0: the workers do what there is."""
        writes = self._database.writes
        if writes == self._writes_seen and monotonic() < self._rests_until:
            return 0
        async with self._database.writer(single=True) as tx:
            found = (await tx.execute(text(self._question()), name="work.look")).one()
        self._writes_seen = writes + 1  # its own look was one
        for number, worker in enumerate(self._workers.values()):
            if found[f"is_due_{number}"]:
                worker.wake()
        self._rests_until = float("-inf") if found["waits"] else monotonic() + REST_SECONDS
        return 0

    def _question(self) -> str:
        due = [f"EXISTS (SELECT FROM {queue.table} WHERE {is_due(queue)})" for queue in self._workers]
        waits = [f"EXISTS (SELECT FROM {queue.table} WHERE {queue.waits})" for queue in self._workers]
        numbered = "".join(f", {each} AS is_due_{number}" for number, each in enumerate(due))
        return f"SELECT {' OR '.join(waits)} AS waits{numbered}"
