"""A running system on which people do things, for one round of a drill."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tracing.model import Trace
from tracing.reader import TraceReader

Seen = TypeVar("Seen")

QUIET_SECONDS = 1.5
LATEST_SECONDS = 20.0
MOST_TRACES = 200
# Spans of one clock and searches of another: what began a moment before the round belongs to it for the search, not as evidence.
MARGIN_SECONDS = 30.0


@dataclass(frozen=True)
class Question:
    """What the trace store is asked for: traces in which one span fits all that is given."""

    service: str
    operation: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class Stage:
    """What people saw and what their traces show since this round began. Journeys that several drills share run once."""

    def __init__(self, addresses: Mapping[str, str], data: Path) -> None:
        self.addresses = dict(addresses)
        self.data = data
        self.began_ns = time.time_ns()
        self._reader = TraceReader(addresses["traces"], timeout_seconds=20)
        self._seen: dict[Any, Any] = {}

    def close(self) -> None:
        """Lets go of the connections."""
        self._reader.close()

    async def once(self, journey: Callable[[Stage], Awaitable[Seen]]) -> Seen:
        """What the journey came to, now or earlier in this round."""
        if journey not in self._seen:
            self._seen[journey] = await journey(self)
        seen: Seen = self._seen[journey]
        return seen

    def traces(self, question: Question) -> list[Trace]:
        """What the store finds of this round."""
        lookback = (time.time_ns() - self.began_ns) / 1e9 + MARGIN_SECONDS
        found = self._reader.search(
            question.service,
            question.operation,
            attributes=question.attributes,
            lookback_seconds=lookback,
            limit=MOST_TRACES,
        )
        return [trace for trace in found if _beginning_ns(trace) >= self.began_ns]

    async def wait_until_quiet(self) -> None:
        """Until no more spans of this round arrive, or for so long that waiting makes no sense."""
        deadline = time.monotonic() + LATEST_SECONDS
        count, since = -1, time.monotonic()
        while time.monotonic() < deadline:
            now = await asyncio.to_thread(self._count)
            if now != count:
                count, since = now, time.monotonic()
            elif time.monotonic() - since > QUIET_SECONDS:
                return
            await asyncio.sleep(QUIET_SECONDS / 3)

    def _count(self) -> int:
        # What people do begins at web, so these are the whole traces of the round.
        return sum(len(trace.spans) for trace in self.traces(Question("web")))


def _beginning_ns(trace: Trace) -> int:
    """When the round began, by the clock of the process that began it: another clock may be wrong."""
    return trace.roots[0].start_ns if trace.roots else trace.start_ns
