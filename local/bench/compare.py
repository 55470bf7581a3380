"""`make bench BASE=commit`: this commit and another one, each built in a folder of its own, sell in turns on this machine.

One system runs at a time (A B B A ...). A row is the median of the turns, with the least and the most; a ratio is that of the
medians. Processor times are divided by those of a reference loop that ran beside, since a machine's speed drifts.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.bench.contest import Contestant, ContestFailed, Sizes, turn
from local.topology import ROOT

PORTS = (9300, 9400)
START_ROW = "from the start until ready, s"


@dataclass(frozen=True)
class Row:
    """A line of the table. `beside`: the row of the reference that ran meanwhile."""

    name: str
    beside: str = ""
    more_is_better: bool = False


ROWS = (
    Row("CPU of a paid purchase, ms", "reference beside paid, us"),
    Row("CPU of a free purchase, ms", "reference beside free, us"),
    Row("paid purchases a second, until the last mail", more_is_better=True),
    Row("paid purchases a second, tickets on the page", more_is_better=True),
    Row("purchases of the rush that failed"),
    Row("longest way of a mail, s"),
    Row("a hold against the no-op", more_is_better=True),
    Row("statements of a paid purchase"),
    Row("requests between services"),
    Row("a ticket's PDF, ms"),
    Row("at rest: statements a second"),
    Row("at rest: CPU, ms a second"),
    Row("PSS of everything, MiB"),
    Row(START_ROW),
)


def main() -> int:
    """The command line. The exit code is 1 if something could not be measured."""
    given = _arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    contestants: list[Contestant] = []
    try:
        for commit, port in zip((given.base, given.commit), PORTS, strict=True):
            print(f"Building {commit} ...", flush=True)
            contestants.append(Contestant.of_commit(commit, given.folder, port))
        _warm(contestants)
        sizes = Sizes(given.purchases, given.rush, given.wide)
        for number in range(given.rounds):
            for contestant in contestants[:: -1 if number % 2 else 1]:
                print(f"Round {number + 1} of {given.rounds}: {contestant.name} ...", flush=True)
                _turn(contestant, sizes)
    except ContestFailed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for contestant in contestants:
            contestant.stop()
    base, now = contestants
    print(report(base, now))
    return 0


def _warm(contestants: list[Contestant]) -> None:
    """Databases are made once, and the event is loaded once: what a start costs afterwards is what counts."""
    for contestant in contestants:
        contestant.start()
        contestant.load()
        contestant.stop()


def _turn(contestant: Contestant, sizes: Sizes) -> None:
    contestant.note(START_ROW, contestant.start())
    try:
        asyncio.run(turn(contestant, sizes))
    finally:
        contestant.stop()


class Measured(Protocol):
    """What takes part, and the values of each row, one of each turn."""

    @property
    def name(self) -> str:
        """What heads its column."""

    found: dict[str, list[float]]


def report(base: Measured, now: Measured, rows: Sequence[Row] = ROWS) -> str:
    """The table for people."""
    lines = [f"{'':48}{base.name:>24}{now.name:>24}{'ratio':>10}"]
    for row in rows:
        before, after = base.found[row.name], now.found[row.name]
        ratio = _median(now, row) / _median(base, row) if _median(base, row) else float("nan")
        lines.append(f"{row.name:48}{_spread(before):>24}{_spread(after):>24}{_ratio(ratio, row):>10}")
    lines += ["", "ms of CPU of a purchase, by process:"]
    lines += [
        f"{name:48}{_spread(base.found.get(name, [0.0])):>24}{_spread(now.found.get(name, [0.0])):>24}"
        for name in dict.fromkeys([*base.found, *now.found])
        if name.startswith(("paid: ", "free: "))
    ]
    return "\n".join(lines)


def _median(contestant: Measured, row: Row) -> float:
    values = contestant.found[row.name]
    if not row.beside:
        return statistics.median(values)
    return statistics.median(value / beside for value, beside in zip(values, contestant.found[row.beside], strict=True))


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.4g} ({_short(min(values))}-{_short(max(values))})"


def _short(value: float) -> str:
    """Three digits, or as many as a number of thousands has."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def _ratio(ratio: float, row: Row) -> str:
    """How many times better: 6.2 x, or for what should shrink 1/6.2. Nothing where one of the two is nothing."""
    if not ratio > 0:
        return ""
    if row.more_is_better:
        return f"{ratio:.2f} x"
    return f"1/{1 / ratio:.2f}" if ratio < 1 else f"{ratio:.2f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--base", required=True, help="the commit to compare with, such as bfd5264 (make bench BASE=)")
    parser.add_argument("--commit", default="HEAD", help="the other one (HEAD)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where both are built (.bench)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (3)")
    parser.add_argument("--purchases", type=int, default=60, help="whose processor time is measured (60)")
    parser.add_argument("--rush", type=int, default=400, help="purchases in a row (400)")
    parser.add_argument("--wide", type=int, default=64, help="buyers at once in the rush (64)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
