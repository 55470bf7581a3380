"""What a purchase costs when a million places are sold: `python -m local.bench.growth [--few 10000] [--many 1000000]`.

Two whole systems on this machine, each with a durable Postgres of its own. Some purchases are made on both, and multiplied in all
databases (local/bench/filling.py) until so many places are sold. Then a lean crowd buys on both in turns (A B B A), paid and free; the
processor time of all services and Postgres is divided by the purchases, and by that of a reference loop which runs beside. Statements
of a paid purchase are counted one by one. Bank, mailbox and trace store are not counted: they stand for machines of others.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from local.bench.contest import EVENT, Contestant, Reference, cpu_of_sale, crowd
from local.bench.crowd import Crowd
from local.bench.filling import Filling
from local.system import System
from local.temporary import temporary_system
from local.topology import ROOT

PLACES, ORDERS = 5, 8
WIDE, ALONE = 12, 10
REST_SECONDS = 3.0
WAYS = {"paid": (), "free": ("--free",)}


@dataclass
class Side:
    """A system, filled to so many places, and what was found of it."""

    contestant: Contestant
    system: System
    event_id: str

    async def fill(self, places: int) -> str:
        """Until so many places are sold; what was written, in words."""
        filling, began = Filling(self.system.postgres), time.perf_counter()
        await filling.begin()
        for free in (False, True):
            shop = self.system.addresses["web"]
            came = await Crowd(shop, self.event_id, free=free, places=PLACES).buy(ORDERS // 2, ORDERS // 2)
            if came.bought != ORDERS // 2:
                raise RuntimeError(f"{self.contestant.name}: not all bought: {came.failures}")
        await asyncio.sleep(REST_SECONDS)
        rows = await filling.multiply(places // (PLACES * ORDERS) - 1)
        took = time.perf_counter() - began
        return f"{self.contestant.name}: {await filling.sold():,} places sold, {rows:,} rows written in {took:.0f} s"

    async def buy(self, way: str, count: int) -> None:
        """A turn: processor milliseconds of a purchase, against the reference loop."""
        reading, reference = self.contestant.reading, Reference()
        before = cpu_of_sale(reading)
        await crowd(self.contestant, self.event_id, count, WIDE, *WAYS[way], reference=reference)
        spent = {name: 1000 * (seconds - before[name]) / count for name, seconds in cpu_of_sale(reading).items()}
        self.contestant.note(f"{way}, ms", sum(spent.values()))
        self.contestant.note(f"{way} against the reference", 1000 * sum(spent.values()) / reference.microseconds)
        for name, milliseconds in spent.items():
            self.contestant.note(f"{way}: {name}", milliseconds)

    async def count_statements(self) -> None:
        """Those of paid purchases, one after another."""
        reading = self.contestant.reading
        await reading.statements_logged(on=True)
        await asyncio.sleep(1)
        before = reading.statements()
        await crowd(self.contestant, self.event_id, ALONE, 1)
        self.contestant.note("statements of a paid purchase", (reading.statements() - before) / ALONE)
        await reading.statements_logged(on=False)


def on_sale(name: str, system: System) -> Side:
    """A system with the event of the bench."""
    offers = [{**offer, "inventoryLevel": 1_000_000} for offer in EVENT["offers"]]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(EVENT | {"offers": offers}, file)
        file.flush()
        system.load(file.name)
    system.wait_until_quiet("catalog", consumers={"inventory"})
    contestant = Contestant(name, ROOT, system.layout.folder, 0)
    return Side(contestant, system, contestant.event_id())


async def measure(few: Side, many: Side, places: tuple[int, int], rounds: int, count: int) -> None:
    """Both are filled, warmed up, and measured in turns."""
    for side, number in zip((few, many), places, strict=True):
        print(await side.fill(number), flush=True)
    for options in WAYS.values():
        for side in (few, many):
            await crowd(side.contestant, side.event_id, count // 2, WIDE, *options)
    for number in range(rounds):
        for side in (few, many) if number % 2 == 0 else (many, few):
            for way in WAYS:
                await side.buy(way, count)
            await asyncio.sleep(REST_SECONDS)
    for side in (few, many):
        await side.count_statements()


def told(few: Side, many: Side) -> str:
    """The table: medians, and the ratio of many to few."""
    lines = [f"{'':36}{few.contestant.name:>14}{many.contestant.name:>14}{'ratio':>8}   (median, least to most)"]
    for row, values in few.contestant.found.items():
        others = many.contestant.found.get(row, [0.0])
        a, b = statistics.median(values), statistics.median(others)
        ratio = f"{b / a:8.2f}" if a > 0.5 else f"{'':8}"
        spread = f"{min(values):.3g}-{max(values):.3g}, {min(others):.3g}-{max(others):.3g}"
        lines.append(f"{row:36}{a:14.2f}{b:14.2f}{ratio}   {spread}")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.growth", description=__doc__)
    parser.add_argument("--few", type=int, default=10_000, help="places sold on one system (10000)")
    parser.add_argument("--many", type=int, default=1_000_000, help="places sold on the other (1000000)")
    parser.add_argument("--rounds", type=int, default=4, help="turns of each (4)")
    parser.add_argument("--purchases", type=int, default=60, help="of each kind in a turn (60)")
    given = parser.parse_args()
    with temporary_system(durable=True) as first, temporary_system(durable=True) as second:
        few, many = on_sale(f"{given.few:,}", first), on_sale(f"{given.many:,}", second)
        asyncio.run(measure(few, many, (given.few, given.many), given.rounds, given.purchases))
        print(told(few, many))
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")


if __name__ == "__main__":
    main()
