"""What a drill is: a fault, what people do, what they report, and how a trace shows it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from drills.stage import Question, Stage
from tracing.model import Span, Trace

EVIDENCE_SECONDS = 30.0
LOOK_SECONDS = 0.25

Environments = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Answer:
    """Where the fault is. Several operations may be right; they may be patterns (`GET *`)."""

    service: str
    operations: tuple[str, ...]

    def fits(self, service: str, operation: str) -> bool:
        """Whether an engineer's answer is right. Capitals and spaces around it do not matter."""
        named = operation.strip().lower()
        right = any(named == each.lower() or fnmatchcase(named, each.lower()) for each in self.operations)
        return right and service.strip().lower() == self.service


@dataclass(frozen=True)
class Link:
    """What happens between two hosts: packets are late, lost, or do not arrive at all."""

    between: tuple[str, str]
    delay_ms: float = 0.0
    loss_percent: float = 0.0
    partition: bool = False


@dataclass(frozen=True)
class Drill:
    """One fault to practise on.

    Its `name` and `report` come from what a user sees and do not give the fault away. `symptom` turns what `journey` came to
    into the sentence that the user would say, None if all is well. `evidence` picks the spans that prove the fault from
    the traces that `question` finds; it sees nothing else.
    """

    name: str
    report: str
    environments: Environments
    journey: Callable[[Stage], Awaitable[Any]]
    symptom: Callable[[Any], str | None]
    question: Question
    evidence: Callable[[Sequence[Trace]], list[Span]]
    answer: Answer
    # How often people try until somebody is unlucky.
    tries: int = 3
    links: tuple[Link, ...] = ()
    # By how many seconds the replica is behind meanwhile.
    behind_seconds: float = 0.0

    @property
    def needs_hosts(self) -> bool:
        """Whether it needs a system on several hosts."""
        return bool(self.links)

    @property
    def needs_replica(self) -> bool:
        """Whether it needs a system with a replica."""
        return self.behind_seconds > 0

    def evidence_on(self, stage: Stage) -> list[Span]:
        """The spans of a round that prove the fault; by a query on traces alone."""
        return [span for span in self.evidence(stage.traces(self.question)) if span.start_ns >= stage.began_ns]

    async def wait_for_evidence_on(self, stage: Stage) -> list[Span]:
        """The same, as soon as there is some; after a while none."""
        deadline = time.monotonic() + EVIDENCE_SECONDS
        while True:
            found = await asyncio.to_thread(self.evidence_on, stage)
            if found or time.monotonic() > deadline:
                return found
            await asyncio.sleep(LOOK_SECONDS)


def fault(service: str, switch: str) -> dict[str, dict[str, str]]:
    """The environment that switches on a fault of `services/<service>/drills.py`."""
    return {service: {f"{service.upper()}_DRILL": switch}}


def each_trace(evidence: Callable[[Trace], list[Span]]) -> Callable[[Sequence[Trace]], list[Span]]:
    """For evidence that lies within one trace: looks at one after the other."""

    def in_all(traces: Sequence[Trace]) -> list[Span]:
        return [span for trace in traces for span in evidence(trace)]

    return in_all
