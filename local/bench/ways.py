"""`make bench-ways`: what the ways to run the same services cost and gain, in turns on this machine.

One system runs at a time, each on databases of its own that stay from turn to turn. A row is the median of the turns, with the least
and the most, and the ratio of the medians to that of a process for each service. Bank, mailbox and trace store stand for machines of
others, and what watches over all is the same in each way: neither is counted to memory or processor time.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from local.bench.contest import APART, Contestant, ContestFailed, Reference, cpu_of_sale, crowd
from local.topology import ROOT

# How `make up` is told. The first is what the others are compared with.
WAYS: dict[str, tuple[str, ...]] = {"services": (), "monolith": ("--monolith",)}
FIRST_PORT, PORTS_APART = 9500, 100
SERVERS = frozenset({"postgres", "nats"})
ALONE, WARMING = 10, 20
REST_SECONDS = 3.0


@dataclass
class Taking:
    """How much a turn does."""

    purchases: int
    wide: int


async def turn(contestant: Contestant, taking: Taking) -> None:
    """Measures a system that has just been started. Raises ContestFailed if a purchase failed."""
    reading, event_id = contestant.reading, contestant.event_id()
    await asyncio.sleep(REST_SECONDS)
    _note_memory(contestant, "after the start")
    await crowd(contestant, event_id, WARMING, 4)
    came, _ = await crowd(contestant, event_id, ALONE, 1)
    contestant.note("a purchase alone, ms", 1000 * came["seconds"] / ALONE)
    before, reference = cpu_of_sale(reading), Reference()
    came, last_mail = await crowd(contestant, event_id, taking.purchases, taking.wide, reference=reference)
    spent = sum(cpu_of_sale(reading).values()) - sum(before.values())
    contestant.note("CPU of a purchase, ms", 1000 * spent / taking.purchases)
    contestant.note("reference beside, us", reference.microseconds)
    contestant.note("purchases a second, tickets on the page", taking.purchases / came["seconds"])
    contestant.note("purchases a second, until the last mail", taking.purchases / last_mail)
    _note_memory(contestant, f"after {WARMING + ALONE + taking.purchases} purchases")


def _note_memory(contestant: Contestant, when: str) -> None:
    used = {name: size for name, size in contestant.reading.memory_mib().items() if name not in APART}
    services = sum(size for name, size in used.items() if name not in SERVERS)
    contestant.note(f"PSS of the services {when}, MiB", services)
    contestant.note(f"PSS with Postgres and NATS {when}, MiB", sum(used.values()))


def report(contestants: list[Contestant]) -> str:
    """The table for people."""
    base, *others = contestants
    lines = [f"{'':52}" + "".join(f"{each.name:>28}" for each in contestants)]
    for row, values in base.found.items():
        line = f"{row:52}{_told(values):>28}"
        for each in others:
            ratio = statistics.median(each.found[row]) / statistics.median(values)
            line += f"{_told(each.found[row]) + f'  {ratio:5.2f}':>28}"
        lines.append(line)
    return "\n".join(lines)


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.4g} ({min(values):.3g}-{max(values):.3g})"


def measure(contestants: list[Contestant], rounds: int, taking: Taking) -> None:
    """Makes the databases of each, then measures them in turns, the last one first every other time."""
    for contestant in contestants:
        contestant.start()
        contestant.load()
        contestant.stop()
    for number in range(rounds):
        for contestant in contestants[:: -1 if number % 2 else 1]:
            print(f"Round {number + 1} of {rounds}: {contestant.name} ...", flush=True)
            contestant.note("from the start until ready, s", contestant.start())
            try:
                asyncio.run(turn(contestant, taking))
            finally:
                contestant.stop()


def main() -> int:
    """The command line. The exit code is 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench-ways", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way (ROUNDS=3)")
    parser.add_argument("--purchases", type=int, default=200, help="of a turn (PURCHASES=200)")
    parser.add_argument("--wide", type=int, default=16, help="buyers at the same time (WIDE=16)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onsale-ways-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        contestants = [
            Contestant(name, ROOT, data / name, FIRST_PORT + PORTS_APART * number, options=options)
            for number, (name, options) in enumerate(WAYS.items())
        ]
        try:
            measure(contestants, given.rounds, Taking(given.purchases, given.wide))
        except ContestFailed as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            for contestant in contestants:
                contestant.stop()
    print(report(contestants))
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
