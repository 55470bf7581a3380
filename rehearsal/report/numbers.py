"""The figures of a rehearsal: windows of time, percentiles, refusals, and the rate that is safe."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rehearsal.crowd.driver import Rehearsed
from rehearsal.crowd.record import BANK, Request

SAFE_P99_SECONDS = 2.0
WINDOW_SECONDS = 10.0
LEAST_REQUESTS = 20  # in a window with fewer, a percentile says nothing
PLOTTED_WINDOWS = 60
EXAMPLES = 3


@dataclass(frozen=True)
class Window:
    """What happened within some seconds."""

    begins: float
    seconds: float
    purchases: int
    requests: int
    p99_seconds: float

    @property
    def purchases_per_minute(self) -> float:
        """At this pace."""
        return self.purchases * 60 / self.seconds

    @property
    def is_safe(self) -> bool:
        """Whether people were served quickly while others bought."""
        return self.requests >= LEAST_REQUESTS and self.purchases > 0 and self.p99_seconds < SAFE_P99_SECONDS


@dataclass(frozen=True)
class Refusals:
    """Refusals or errors of one kind, with traces to look at."""

    name: str
    count: int
    traces: tuple[str, ...]


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Of sorted values; nothing of none."""
    return seconds[min(len(seconds) - 1, int(len(seconds) * percent / 100))] if seconds else 0.0


def of_the_shop(requests: Iterable[Request]) -> list[Request]:
    """Without those to the bank, which is not ours."""
    return [each for each in requests if each.kind != BANK]


def windows_of(rehearsed: Rehearsed, seconds: float = WINDOW_SECONDS) -> list[Window]:
    """All windows of the rehearsal, one after the other."""
    requests: dict[int, list[float]] = defaultdict(list)
    for each in of_the_shop(rehearsed.record.requests):
        requests[int(each.at // seconds)].append(each.seconds)
    sales = Counter(int(at // seconds) for at, _ in rehearsed.record.sales)
    count = int(rehearsed.seconds // seconds) + 1
    return [
        Window(
            number * seconds, seconds, sales[number], len(requests[number]), percentile(sorted(requests[number]), 99)
        )
        for number in range(count)
    ]


def safe_rate(rehearsed: Rehearsed) -> float | None:
    """Purchases a minute: the most of any window in which 99 of 100 answers came within the bound. None if there is none."""
    rates = [each.purchases_per_minute for each in windows_of(rehearsed) if each.is_safe]
    return max(rates, default=None)


def latencies(rehearsed: Rehearsed) -> dict[str, list[float]]:
    """Sorted seconds by kind of request, the most frequent kind first; those that had an answer."""
    found: dict[str, list[float]] = defaultdict(list)
    for each in rehearsed.record.requests:
        if each.status:
            found[each.kind].append(each.seconds)
    return {kind: sorted(found[kind]) for kind in sorted(found, key=lambda kind: -len(found[kind]))}


def percentiles_over_time(requests: Iterable[Request], whole: float) -> dict[str, list[tuple[float, float]]]:
    """Points (seconds since the beginning, milliseconds) of three percentiles."""
    seconds = max(1.0, whole / PLOTTED_WINDOWS)
    by_window: dict[int, list[float]] = defaultdict(list)
    for each in requests:
        by_window[int(each.at // seconds)].append(each.seconds)
    points: dict[str, list[tuple[float, float]]] = {"p50": [], "p95": [], "p99": []}
    for number, values in sorted(by_window.items()):
        ordered = sorted(values)
        for name, line in points.items():
            line.append(((number + 0.5) * seconds, 1000 * percentile(ordered, float(name[1:]))))
    return points


def counted_over_time(requests: Iterable[Request], whole: float) -> list[tuple[float, float]]:
    """Points (seconds since the beginning, requests in that window)."""
    seconds = max(1.0, whole / PLOTTED_WINDOWS)
    counts = Counter(int(each.at // seconds) for each in requests)
    return [((number + 0.5) * seconds, float(counts[number])) for number in range(int(whole // seconds) + 1)]


def kind_of(request: Request) -> str:
    """What was asked for, and what came back, as refusals and errors are counted."""
    return f"{request.kind}: {request.status or 'no answer'} {request.problem}".strip()


def grouped(requests: Iterable[Request]) -> list[Refusals]:
    """By what was asked for, status and code, the most frequent first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for each in requests:
        groups[kind_of(each)].append(each.trace_id)
    found = [
        Refusals(name, len(traces), tuple(trace for trace in traces if trace)[:EXAMPLES])
        for name, traces in groups.items()
    ]
    return sorted(found, key=lambda each: -each.count)


def slowest(requests: Iterable[Request], kind: str) -> list[Request]:
    """Some of a kind that took longest and have a trace."""
    of_kind = [each for each in requests if each.kind == kind and each.trace_id]
    return sorted(of_kind, key=lambda each: -each.seconds)[:EXAMPLES]
