"""What a drill is: a fault, what people do, what they report, and how a trace shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tracing.model import Span, Trace

if TYPE_CHECKING:
    from drills.stage import Stage

Environments = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Question:
    """What the trace store is asked for: traces in which one span fits all that is given."""

    service: str
    operation: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


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

    @property
    def needs_hosts(self) -> bool:
        """Whether it needs a system on several hosts."""
        return bool(self.links)


def fault(service: str, switch: str) -> dict[str, dict[str, str]]:
    """The environment that switches on a fault of `services/<service>/drills.py`."""
    return {service: {f"{service.upper()}_DRILL": switch}}


def each_trace(evidence: Callable[[Trace], list[Span]]) -> Callable[[Sequence[Trace]], list[Span]]:
    """For evidence that lies within one trace: looks at one after the other."""

    def in_all(traces: Sequence[Trace]) -> list[Span]:
        return [span for trace in traces for span in evidence(trace)]

    return in_all
