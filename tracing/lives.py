"""Lives of processes, as their `start` and `stop` spans tell them: who died without a word, and when."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tracing.model import Span, Trace
from tracing.reader import TraceReader

LOOK_BACK_SECONDS = 24 * 3600.0
MOST_LIVES = 200
# A process begins to work before its `start` is there to the nanosecond.
MARGIN_NS = 1_000_000


@dataclass(frozen=True)
class Life:
    """One process of a service. Times are nanoseconds since the epoch.

    `stopped_ns`: it stopped in good order, and had sent everything. `followed_ns` and `followed_by`: when the next process of
    the service began, and which instance that is; the same one if a container was restarted.
    """

    service: str
    instance: str
    host: str
    started_ns: int
    stopped_ns: int | None = None
    followed_ns: int | None = None
    followed_by: str = ""


@dataclass(frozen=True)
class Death:
    """A life that ended without `stop`: after the last that is known of it, and before the next one began."""

    life: Life
    after_ns: int
    before_ns: int


@dataclass(frozen=True)
class Lives:
    """The lives of all services' processes that the store knows of, by service, the oldest first."""

    of: Mapping[str, tuple[Life, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, reader: TraceReader, services: Iterable[str], since_ns: int) -> Lives:
        """Those that began from a day before `since_ns` until now. Raises StoreUnreachable."""
        lookback = max(0.0, time.time() - since_ns / 1e9) + LOOK_BACK_SECONDS
        found = {}
        for service in services:
            name = f"start {service}"
            traces = reader.search(service, name, lookback_seconds=lookback, limit=MOST_LIVES)
            found[service] = lives_in(service, traces)
        return cls(found)

    def deaths(self, trace: Trace, service: str) -> list[Death]:
        """Deaths of a service's processes, each as narrow as the spans of `trace` show it."""
        deaths = []
        for life in self._with_forgotten(trace, service):
            if life.stopped_ns is None and life.followed_ns is not None and not _goes_on(trace, life):
                seen = [span.end_ns for span in trace.spans if is_of(span, life) and span.end_ns < life.followed_ns]
                deaths.append(Death(life, max([life.started_ns, *seen]), life.followed_ns))
        return deaths

    def pauses(self, service: str) -> list[tuple[Life, int, int]]:
        """When a service had no process in good order: one had stopped, the next had not begun."""
        return [
            (life, life.stopped_ns, life.followed_ns)
            for life in self.of.get(service, ())
            if life.stopped_ns is not None and life.followed_ns is not None
        ]

    def _with_forgotten(self, trace: Trace, service: str) -> list[Life]:
        """The lives of a service, with those of processes whose start the store has forgotten and whose spans are in the trace."""
        known = list(self.of.get(service, ()))
        first: dict[str, Span] = {}
        for span in trace.spans:
            if span.service == service and not any(is_of(span, life) for life in known):
                first.setdefault(_instance(span), span)
        for instance, span in first.items():
            later = sorted((life.started_ns, life.instance) for life in known if life.started_ns > span.start_ns)
            followed_ns, followed_by = later[0] if later else (None, "")
            known.append(Life(service, instance, _host(span), span.start_ns, None, followed_ns, followed_by))
        return known


def lives_in(service: str, traces: Iterable[Trace]) -> tuple[Life, ...]:
    """The lives that traces of `start` and `stop` tell."""
    begun = []
    for trace in traces:
        starts = [span for span in trace.spans if span.name == f"start {service}" and span.service == service]
        stops = [span.start_ns for span in trace.spans if span.name == f"stop {service}"]
        begun += [(start, min(stops, default=None)) for start in starts]
    begun.sort(key=lambda each: each[0].start_ns)
    lives = []
    for index, (start, stopped_ns) in enumerate(begun):
        after = [other for other, _ in begun[index + 1 :] if _takes_its_place(start, other)]
        followed = (after[0].start_ns, _instance(after[0])) if after else (None, "")
        lives.append(Life(service, _instance(start), _host(start), start.start_ns, stopped_ns, *followed))
    return tuple(lives)


def is_of(span: Span, life: Life) -> bool:
    """Whether this process made the span. A container's process has the same instance again after it was restarted."""
    if span.service != life.service or _instance(span) != life.instance:
        return False
    is_later_life = life.followed_by == life.instance and life.followed_ns is not None
    return life.started_ns - MARGIN_NS <= span.start_ns and not (
        is_later_life and span.start_ns >= (life.followed_ns or 0)
    )


def _takes_its_place(earlier: Span, later: Span) -> bool:
    """Whether the later process replaces the earlier one: both ran on one host, or in pods of one workload."""
    return _host(earlier) == _host(later) or _workload(_host(earlier)) == _workload(_host(later)) != ""


def _workload(host: str) -> str:
    """What a pod's name begins with: `orders-7d9f8c6b5d-x2x7k` is one of `orders-7d9f8c6b5d`'s."""
    name, _, last = host.rpartition("-")
    return name if len(last) == 5 and "-" in name else ""


def _goes_on(trace: Trace, life: Life) -> bool:
    """Whether the life went on beside the process that seemed to follow it: the trace has later spans of the first one."""
    return life.followed_by != life.instance and any(
        is_of(span, life) and life.followed_ns is not None and span.start_ns > life.followed_ns for span in trace.spans
    )


def _instance(span: Span) -> str:
    return str(span.resource.get("service.instance.id", ""))


def _host(span: Span) -> str:
    return str(span.resource.get("host.name", ""))
