"""`make bench-tracing`: what tracing costs. Throughput with tracing off, at 10 % and at 100 %, in one run.

One whole system runs for each way of tracing, and they take turns in short rounds, so that whatever else happens on the machine
happens to all of them alike; those whose turn it is not only idle. Off means that nothing is sampled; metrics are on in all.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from local.bench.micro import micro_costs
from local.bench.ordering import LoadFailed, Ordering
from local.bench.sink import Sink
from local.errors import StartError
from local.system import System
from local.topology import SERVICES

KEEPS = 0.9
OFF = "off"
DRAWS = 2_000
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Way:
    """A way of tracing; `settings` are given to every service, `{}` in a name stands for its prefix."""

    name: str
    settings: Mapping[str, str]
    promised: bool = False  # to keep 90 % of the throughput


@dataclass
class Measured:
    """What came of one way, by round: orders, and seconds; of the clock, and of CPU in the services and in the store."""

    orders: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    services: list[float] = field(default_factory=list)
    store: list[float] = field(default_factory=list)

    def rate(self, rounds: Sequence[int]) -> float:
        """Orders a second over these rounds."""
        return sum(self.orders[each] for each in rounds) / sum(self.seconds[each] for each in rounds)

    def cpu_ms(self) -> tuple[float, float]:
        """Of the services and of the store, per order; of the quarter of the rounds in which an order took the least.

        When others want the processor too, the same work takes more of it.
        """
        shares = [
            (1000 * services / orders, 1000 * store / orders)
            for services, store, orders in zip(self.services, self.store, self.orders, strict=True)
        ]
        return _least(each[0] for each in shares), _least(each[1] for each in shares)


def ways(sink_url: str) -> list[Way]:
    """The sink is a backend on another machine: on this one, the dev trace store shares both cores with the services."""
    return [
        Way(OFF, {"{}_TRACE_SAMPLE_RATIO": "0"}),
        Way("10 %", {"{}_TRACE_SAMPLE_RATIO": "0.1"}),
        Way("100 %", {"{}_TRACE_SAMPLE_RATIO": "1"}, promised=True),
        Way("100 %, sent away", {"{}_TRACE_SAMPLE_RATIO": "1", "{}_OTLP_ENDPOINT": sink_url}, promised=True),
    ]


def _least(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 4]


class Contestant:
    """A system that is traced in one way, with its load."""

    def __init__(self, way: Way, folder: Path) -> None:
        self.way = way
        environment = {
            service: {name.format(service.upper()): value for name, value in way.settings.items()}
            for service in SERVICES
        }
        self._system = System(folder, environment=environment)
        self._load = Ordering(self._system.addresses, self._system.layout)
        self.measured = Measured()

    async def start(self) -> None:
        """Raises StartError, LoadFailed."""
        await asyncio.to_thread(self._system.start)
        await self._load.open()

    async def close(self) -> None:
        """Stops the system."""
        await self._load.close()
        await asyncio.to_thread(self._system.stop)

    async def round(self, seconds: float, buyers: int, *, counts: bool) -> None:
        """One turn; one that does not count is for warming up."""
        before = self._cpu_seconds()
        orders, taken = await self._load.run(seconds, buyers)
        after = self._cpu_seconds()
        if counts:
            self.measured.orders.append(orders)
            self.measured.seconds.append(taken)
            self.measured.services.append(after[0] - before[0])
            self.measured.store.append(after[1] - before[1])

    def _cpu_seconds(self) -> tuple[float, float]:
        """What the services, and the trace store, have used so far."""
        services = sum(cpu_seconds(self._system.pid(name)) for name in SERVICES)
        return services, cpu_seconds(self._system.pid("traces"))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def compare(folder: Path, rounds: int, seconds: float, buyers: int) -> dict[str, Measured]:
    """Starts all systems, lets them take turns, stops them. Raises StartError, LoadFailed."""
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(Sink())
        contestants = [Contestant(way, folder / str(number)) for number, way in enumerate(ways(sink.url))]
        for contestant in contestants:
            stack.push_async_callback(contestant.close)
            await contestant.start()
        for number in range(rounds + 1):
            start = number % len(contestants)  # everybody is first, and last, equally often
            for contestant in contestants[start:] + contestants[:start]:
                await contestant.round(seconds, buyers, counts=number > 0)
            print("." if number else "warm", end=" ", flush=True)
        print()
        return {contestant.way.name: contestant.measured for contestant in contestants}


def kept(measured: Mapping[str, Measured], way: str) -> tuple[float, float, float]:
    """The share of the throughput without tracing that is left, and between which shares it lies with 90 % certainty."""
    rounds = range(len(measured[OFF].orders))
    found = measured[way].rate(rounds) / measured[OFF].rate(rounds)
    dice = random.Random(1)  # noqa: S311  # the same figures give the same answer
    drawn = []
    for _ in range(DRAWS):
        some = dice.choices(rounds, k=len(rounds))
        drawn.append(measured[way].rate(some) / measured[OFF].rate(some))
    drawn.sort()
    return found, drawn[DRAWS // 20], drawn[-DRAWS // 20]


def report(measured: Mapping[str, Measured]) -> str:
    """A table for people."""
    lines = [
        f"{'tracing':<18}{'orders/s':>9}{'kept':>8}  {'(certain to 90 %)':<20}{'ms of CPU per order: services':>29}{'store':>7}"
    ]
    for name, found in measured.items():
        share, low, high = kept(measured, name)
        services, store = found.cpu_ms()
        between = "" if name == OFF else f"({low:.1%} to {high:.1%})"
        rate = found.rate(range(len(found.orders)))
        lines.append(f"{name:<18}{rate:>9.2f}{share:>8.1%}  {between:<20}{services:>29.1f}{store:>7.1f}")
    return "\n".join(lines)


def broken(measured: Mapping[str, Measured]) -> list[str]:
    """What was promised and is not kept, as sentences."""
    shares = {way.name: kept(measured, way.name)[0] for way in ways("") if way.promised}
    return [
        f"With tracing at {name} only {share:.1%} of the throughput is left; {KEEPS:.0%} is promised."
        for name, share in shares.items()
        if share < KEEPS
    ]


def main() -> int:
    """The command line. The exit code is 1 if less than 90 % of the throughput is left at 100 %, or nothing could be measured."""
    chosen = _arguments()
    print("\n".join(micro_costs()), flush=True)
    with tempfile.TemporaryDirectory(prefix="onsale-bench-") as folder:
        Path(folder).chmod(0o755)
        try:
            measured = asyncio.run(compare(Path(folder), chosen.rounds, chosen.seconds, chosen.buyers))
        except (StartError, LoadFailed) as error:
            print(error, file=sys.stderr)
            return 1
    print(report(measured))
    for sentence in (faults := broken(measured)):
        print(sentence, file=sys.stderr)
    return 1 if faults and not chosen.only_look else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-tracing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=24, help="turns of each way that count; one more warms up")
    parser.add_argument("--seconds", type=float, default=4.0, help="of a turn")
    parser.add_argument("--buyers", type=int, default=8, help="who order at the same time")
    parser.add_argument("--only-look", action="store_true", help="exit with 0 whatever is measured")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
