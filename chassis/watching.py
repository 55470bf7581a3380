"""Watches what waits: rows of the service's databases and messages of its consumers, on a rhythm of its own.

Whoever collects metrics reads what was seen last, and never makes a database work. Several processes of a service see the same
rows: a sum over them would count each twice, take the largest.
"""

import asyncio
import random
import resource
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from sqlalchemy import Executable

from chassis.db import Database
from chassis.lag import Lag
from chassis.logs import log
from chassis.statements import text
from tracing.instruments import (
    CONSUMER_LAG,
    CONSUMER_PENDING,
    CONSUMER_REDELIVERED,
    DEAD_LETTERS,
    LOOP_DELAY,
    OUTBOX_AGE,
    OUTBOX_UNSENT,
    PROCESS_CPU,
    PROCESS_MEMORY,
    Instrument,
)
from tracing.metrics import Metrics

EVERY_SECONDS = 10.0
PULSE_SECONDS = 0.25
# While the process does nothing, nobody waits for its event loop: then its pulse is felt less often.
CALM_PULSE_SECONDS = 1.0
# From this part of one processor on, or after a wait as long, it is at work.
AT_WORK = 0.02

Rows = list[Mapping[str, Any]]

_LOG = log(__name__)


@dataclass(frozen=True)
class Watch:
    """A question to the database, and what its answer shows.

    The statement must be answered from an index within milliseconds, however large the tables are. `shows`: column -> metric;
    `labels`: column -> attribute. A column that is null shows nothing.
    """

    name: str
    statement: Executable
    shows: Mapping[str, Instrument]
    labels: Mapping[str, str] = field(default_factory=dict)


OUTBOX = Watch(
    "metrics.outbox",
    # The first of the partial index is the oldest. Nobody needs to know exactly how many there are above 10,000.
    text("""
        SELECT count(*) AS unsent, COALESCE(EXTRACT(EPOCH FROM now() - min(created_at)), 0) AS age
        FROM (SELECT created_at FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT 10000) AS first
    """),
    {"unsent": OUTBOX_UNSENT, "age": OUTBOX_AGE},
)
LETTERS = Watch(
    "metrics.dead_letters",
    text("""
        SELECT consumer, count(*) AS letters FROM (SELECT consumer FROM dead_letter LIMIT 10000) AS first GROUP BY consumer
    """),
    {"letters": DEAD_LETTERS},
    {"consumer": "messaging.consumer.group.name"},
)


class Watching:
    """All that one service watches. What cannot be seen at the moment is shown as nothing, not as it was."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._looks: list[tuple[str, Callable[[], Awaitable[Rows]]]] = []
        self._seen: dict[str, Rows] = {}
        self._is_blind: set[str] = set()
        self._measures: dict[str, tuple[Callable[[], float], float]] = {}
        self._worst_delays = (0.0, 0.0)
        metrics.show(PROCESS_CPU, lambda: [(process_time(), {})])
        metrics.show(PROCESS_MEMORY, lambda: [(_memory_bytes(), {})])
        metrics.show(LOOP_DELAY, lambda: [(max(self._worst_delays), {})])

    def database(self, database: Database, *watches: Watch) -> None:
        """Watches rows of a database."""
        for watch in watches:
            labels = {**watch.labels, "pool": "db.client.connection.pool.name"}

            async def look(watch: Watch = watch) -> Rows:
                rows = await database.look(watch.statement, name=watch.name)
                return [{**row, "pool": database.pool} for row in rows]

            self._add(f"{watch.name} of {database.pool}", look, watch.shows, labels)

    def consumer(self, durable: str, look: Callable[[], Awaitable[Lag]]) -> None:
        """Watches what a durable consumer has not acknowledged."""

        async def as_rows() -> Rows:
            lag = await look()
            return [{"pending": lag.pending, "again": lag.redelivered, "age": lag.oldest_seconds, "consumer": durable}]

        shows = {"pending": CONSUMER_PENDING, "again": CONSUMER_REDELIVERED, "age": CONSUMER_LAG}
        self._add(f"consumer {durable}", as_rows, shows, {"consumer": "messaging.consumer.group.name"})

    def measure(self, instrument: Instrument, read: Callable[[], float]) -> None:
        """Watches a number of this process. It is read in the event loop, where nothing else happens at the same time."""
        self._measures[instrument.name] = (read, 0.0)
        self._metrics.show(instrument, lambda: [(self._measures[instrument.name][1], {})])

    async def run(self) -> None:
        """Looks again and again, for ever; cancelled at shutdown."""
        while True:
            for name, look in self._looks:
                await self._look(name, look)
            # The pauses vary, so that not all processes ask the database at once.
            await asyncio.sleep(EVERY_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311  # jitter is no secret

    async def feel_pulse(self) -> None:
        """Reads the process's numbers, and how late the event loop calls who only wants to be called; cancelled at shutdown."""
        begun = monotonic()
        pause = PULSE_SECONDS
        while True:
            self._measures = {name: (read, read()) for name, (read, _) in self._measures.items()}
            asked, used = monotonic(), process_time()
            await asyncio.sleep(pause)
            before, worst = self._worst_delays
            late = monotonic() - asked - pause
            worst = max(worst, late)
            is_at_work = late > AT_WORK or process_time() - used > AT_WORK * pause
            pause = PULSE_SECONDS if is_at_work else CALM_PULSE_SECONDS
            if monotonic() - begun > EVERY_SECONDS:
                begun, before, worst = monotonic(), worst, 0.0
            self._worst_delays = (before, worst)

    async def _look(self, name: str, look: Callable[[], Awaitable[Rows]]) -> None:
        try:
            self._seen[name] = await look()
            self._is_blind.discard(name)
        except Exception as error:  # noqa: BLE001  # watching must never be what ends a service
            self._seen.pop(name, None)
            if name not in self._is_blind:
                self._is_blind.add(name)
                _LOG.warning("cannot be watched at the moment", what=name, error=f"{type(error).__name__}: {error}")

    def _add(
        self,
        name: str,
        look: Callable[[], Awaitable[Rows]],
        shows: Mapping[str, Instrument],
        labels: Mapping[str, str],
    ) -> None:
        self._looks.append((name, look))
        for column, instrument in shows.items():
            wanted = {label: labels[label] for label in labels if labels[label] in instrument.attributes}

            def read(
                column: str = column, wanted: Mapping[str, str] = wanted
            ) -> Iterable[tuple[float, dict[str, str]]]:
                return [
                    (float(row[column]), {attribute: str(row[label]) for label, attribute in wanted.items()})
                    for row in self._seen.get(name, [])
                    if row[column] is not None
                ]

            self._metrics.show(instrument, read)


def _memory_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        # Elsewhere than on Linux only the largest size so far is known.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
