"""Two traces beside each other: what one did more often, longer, or alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracing.model import Span, Trace

Path = tuple[tuple[str, str], ...]


@dataclass
class Share:
    """All spans of one trace that came about in the same way."""

    count: int = 0
    errors: int = 0
    duration_ns: int = 0


@dataclass
class Step:
    """What both traces did, or one of them, at one place of the tree. `shares` are those of the first and the second."""

    service: str
    name: str
    depth: int
    shares: tuple[Share, Share] = field(default_factory=lambda: (Share(), Share()))

    @property
    def only(self) -> bool:
        """Whether one of the traces did not do it."""
        return not (self.shares[0].count and self.shares[1].count)

    @property
    def longer_ns(self) -> int:
        """How much longer the second took, all its repetitions together."""
        return self.shares[1].duration_ns - self.shares[0].duration_ns


def compared(first: Trace, second: Trace) -> list[Step]:
    """The steps of both in the order of their trees; repetitions beneath the same step are one."""
    steps: dict[Path, Step] = {}
    for number, trace in enumerate((first, second)):
        paths: dict[str, Path] = {}
        for _, span in trace.walk():
            path = (*paths.get(span.parent_id, ()), (span.service, span.name))
            paths[span.span_id] = path
            step = steps.setdefault(path, Step(span.service, span.name, len(path) - 1))
            _count(step.shares[number], span)
    return [steps[path] for path in _as_tree(list(steps))]


def _count(share: Share, span: Span) -> None:
    share.count += 1
    share.errors += span.is_error
    share.duration_ns += span.duration_ns


def _as_tree(paths: list[Path]) -> list[Path]:
    """Each after its parent, siblings in the order in which they were met."""
    children: dict[Path, list[Path]] = {}
    for path in paths:
        children.setdefault(path[:-1], []).append(path)
    ordered: list[Path] = []
    stack = list(reversed(children.get((), [])))
    while stack:
        path = stack.pop()
        ordered.append(path)
        stack.extend(reversed(children.get(path, [])))
    return ordered
