"""The waiting room in figures: who waited and who was inside over time, how many were let in, and which rate was safe."""

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.crowd.driver import Rehearsed
from rehearsal.crowd.lobby import ASK_SECONDS, MOST_JOINING, MOST_LOOKING
from rehearsal.crowd.record import Seen, Waited
from rehearsal.report.numbers import LEAST_REQUESTS, SAFE_P99_SECONDS, of_the_shop, percentile

# Longer than a purchase takes, so that who is let in buys within it.
WINDOW_SECONDS = 30.0
# A rate is shown in whole people.
ROUNDING = 1.0
EXAMPLES = (0.0, 0.5, 1.0)

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Admissions:
    """Who was let in within a window. `is_slowed`: inventory made the waiting room let in fewer than it was told to."""

    let_in: int
    requests: int
    p99_seconds: float
    is_slowed: bool

    @property
    def per_minute(self) -> float:
        """At this pace."""
        return self.let_in * 60 / WINDOW_SECONDS

    @property
    def is_slow(self) -> bool:
        """Whether people waited for answers."""
        return self.p99_seconds >= SAFE_P99_SECONDS

    @property
    def is_safe(self) -> bool:
        """Whether that many could be let in."""
        return self.let_in > 0 and self.requests >= LEAST_REQUESTS and not self.is_slow and not self.is_slowed


def people_over_time(seen: Sequence[Seen]) -> dict[str, Points]:
    """How many wait, and which number is served."""
    return {
        "waiting": [(each.at, float(each.waiting)) for each in seen],
        "now serving": [(each.at, float(each.serving)) for each in seen],
    }


def inside_over_time(seen: Sequence[Seen]) -> dict[str, Points]:
    """How many have come in, and still are."""
    return {"inside": [(each.at, float(each.inside)) for each in seen]}


def rates_over_time(rehearsed: Rehearsed, window: float = 10.0) -> dict[str, Points]:
    """People a minute: how many were let in, and were allowed in; without the page of who runs the sale, what was told."""
    record, served, let_in = rehearsed.record, 0, list[tuple[float, float]]()
    for number in range(int(rehearsed.seconds // window) + 1):
        now = _serving_at(record.seen, (number + 1) * window)
        let_in.append(((number + 0.5) * window, (now - served) * 60 / window))
        served = now
    told = [(each.at, each.rate) for each in record.seen if each.state == "selling"]
    return {"let in": let_in, "allowed": record.allowed} if record.allowed else {"let in": let_in, "told": told}


def admissions_of(rehearsed: Rehearsed, rate: float | None) -> list[Admissions]:
    """All windows in which somebody was let in, since the first was. `rate`: what the waiting room was told at most, if known."""
    record, found = rehearsed.record, []
    first = next((each.at for each in record.seen if each.serving), 0.0) - ASK_SECONDS
    requests = sorted((each.at, each.seconds) for each in of_the_shop(record.requests))
    for number in range(int(rehearsed.seconds // WINDOW_SECONDS) + 1):
        begins, ends = first + number * WINDOW_SECONDS, first + (number + 1) * WINDOW_SECONDS
        let_in = _serving_at(record.seen, ends) - _serving_at(record.seen, begins)
        waits = sorted(seconds for at, seconds in requests if begins <= at < ends)
        allowed = min((each for at, each in record.allowed if begins <= at < ends), default=None)
        is_slowed = rate is not None and allowed is not None and allowed < rate - ROUNDING
        if let_in:
            found.append(Admissions(let_in, len(waits), percentile(waits, 99), is_slowed))
    return found


def safe_admissions(windows: Sequence[Admissions]) -> float | None:
    """People a minute: the most of any window that was safe. None if none was."""
    return max((each.per_minute for each in windows if each.is_safe), default=None)


def admission_sentence(rehearsed: Rehearsed, rate: float | None) -> str:
    """How many people a minute may be let in, and how that was found."""
    windows = admissions_of(rehearsed, rate)
    slow, slowed = sum(each.is_slow for each in windows), sum(each.is_slowed for each in windows)
    too_much = (
        f"Of {len(windows)} such windows answers were slower in {slow}, and the waiting room slowed down in {slowed}."
        if slow or slowed
        else "It was never too much: a higher RATE= or INSIDE= finds the limit."
    )
    safe = safe_admissions(windows)
    if safe is None:
        return f"No safe admission rate was seen. {too_much} Try a lower RATE=."
    if rate is not None:
        safe = min(safe, float(rate))  # what is seen each second may be a second late
    return (
        f"Safe admission rate of this deployment: {safe:.0f} people a minute, the most that were let in within 30 s in which 99 "
        f"of 100 answers came within {SAFE_P99_SECONDS:g} s and inventory did not slow the waiting room down. {too_much}"
    )


def lean_sentence() -> str:
    """How this crowd differs from as many browsers."""
    return (
        f"All who wait share one question for the number that is served every {ASK_SECONDS:g} s, which is what a proxy sends "
        f"on; at most {MOST_JOINING} join at the same time, and {MOST_LOOKING} look up their number after the draw."
    )


def waited_examples(waits: Sequence[Waited]) -> list[Waited]:
    """Who waited shortest, who longest, and one in the middle."""
    ordered = sorted((each for each in waits if each.trace_id), key=lambda each: each.seconds)
    chosen = dict.fromkeys(round(share * (len(ordered) - 1)) for share in EXAMPLES) if ordered else {}
    return [ordered[index] for index in chosen]


def _serving_at(seen: Sequence[Seen], at: float) -> int:
    return max((each.serving for each in seen if each.at < at), default=0)
