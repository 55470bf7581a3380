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
# Workers that are woken look by themselves as well: what they find then is nothing.
BY_ITSELF_SECONDS = 60.0


class Rest:
    """How long a database need not be asked whether anything is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes_seen = -1
        self._until = float("-inf")

    @property
    def is_over(self) -> bool:
        """Whether something may have come."""
        return self._database.writes != self._writes_seen or monotonic() >= self._until

    def begin(self, writes_seen: int, *, waits: bool) -> None:
        """After a look, which saw that many writes of this process. While something `waits` there is no rest."""
        self._writes_seen = writes_seen
        self._until = float("-inf") if waits else monotonic() + REST_SECONDS


class Lookout:
    """The step of a worker: wakes the workers whose queues have something that is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: dict[Queue, Worker] = {}
        self._rest = Rest(database)

    def wakes(self, queue: Queue, worker: Worker) -> Worker:
        """Lets this worker be woken for what this queue has. Returns the worker."""
        self._workers[queue] = worker
        return worker

    async def __call__(self) -> int:
        """Looks, unless nothing can have come. Always 0: the workers do what there is."""
        if not self._rest.is_over:
            return 0
        writes = self._database.writes
        async with self._database.writer(single=True) as tx:
            found = (await tx.execute(text(self._question()), name="work.look")).one()
        for number, worker in enumerate(self._workers.values()):
            if found[f"is_due_{number}"]:
                worker.wake()
        self._rest.begin(writes + 1, waits=found["waits"])  # its own look was one
        return 0

    def _question(self) -> str:
        due = [f"EXISTS (SELECT FROM {queue.table} WHERE {is_due(queue)})" for queue in self._workers]
        waits = [f"EXISTS (SELECT FROM {queue.table} WHERE {queue.waits})" for queue in self._workers]
        numbered = "".join(f", {each} AS is_due_{number}" for number, each in enumerate(due))
        return f"SELECT {' OR '.join(waits)} AS waits{numbered}"
