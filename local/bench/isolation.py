"""What a crowd for one event costs those who want others: `python -m local.bench.isolation [--rounds 3] [--load 0.8]`.

A whole system of its own. Few people open the pages of quiet events and hold a place, at a steady rate; in turns (A B C A B C ...) they
are alone (A), a crowd that is nine tenths of all traffic wants one hot event (B), or something that has nothing to do with the system
takes as much of the processors as that crowd had them take (C): what C costs, too, is the machine's, and no fault of the system.
The crowd comes at a part (`--load`) of the rate at which a closed loop was served before. Who visits is a process of its own, whose
work shares the processors. Times are counted from when a person was due, and for holding places from when the form was sent.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from local.bench.contest import EVENT
from local.bench.crowd import ANSWER_SECONDS, QUANTITY, PurchaseFailed, Visitor, form_to
from local.bench.reading import machine_cpu_seconds
from local.bench.storm import percentile
from local.system import System
from local.temporary import temporary_system
from local.topology import ROOT

QUIET, HOT = ("Quiet One", "Quiet Two", "Quiet Three"), "The Hot One"
SHARE = 0.9
TURN_SECONDS, REST_SECONDS = 20.0, 3.0
CLOSED_WIDE, CLOSED_SECONDS = 12, 8.0
WAYS = {"A": "alone", "B": "beside the crowd", "C": "beside other work"}
# Takes a part of one processor, until its input ends.
_BURNS = """
import sys, threading, time
part, over = float(sys.argv[1]), threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.is_set():
    until = time.perf_counter() + 0.01 * part
    while time.perf_counter() < until:
        pass
    time.sleep(0.01 * (1 - part))
"""


@dataclass
class Visits:
    """What people met: milliseconds of each page and each hold, and what they could not do."""

    page: list[float] = field(default_factory=list)
    hold: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    refused: list[float] = field(default_factory=list)


class People:
    """They open an event's page and hold a place, each with a browser of their own."""

    def __init__(self, urls: list[str], http: aiohttp.ClientSession) -> None:
        self._urls = urls
        self._http = http
        self.visits = Visits()

    async def visit(self, number: int, due: float) -> None:
        """One of them."""
        visitor, sent = Visitor(self._http), due
        try:
            url, page = await visitor.go(self._urls[number % len(self._urls)])
            self.visits.page.append(1000 * (time.perf_counter() - due))
            action, fields = form_to(url, page, "/orders")
            sent = time.perf_counter()
            await visitor.go(action, [*fields, (QUANTITY.findall(page)[0][0], "1")])
            self.visits.hold.append(1000 * (time.perf_counter() - sent))
        except (PurchaseFailed, aiohttp.ClientError, TimeoutError) as error:
            self.visits.failed[str(error) if isinstance(error, PurchaseFailed) else type(error).__name__] += 1
            self.visits.refused.append(1000 * (time.perf_counter() - sent))

    async def steadily(self, rate: float, seconds: float) -> None:
        """So many a second begin, whether or not others are done; all of them are waited for."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(self.visit(number, due))

    async def closed(self, wide: int, seconds: float) -> None:
        """So many at once, each visiting again when they are done."""
        until = time.perf_counter() + seconds

        async def one() -> None:
            while time.perf_counter() < until:
                await self.visit(0, time.perf_counter())

        await asyncio.gather(*(one() for _ in range(wide)))


async def visiting(urls: list[str], rate: float, seconds: float, wide: int) -> Visits:
    """What such people met."""
    timeout, connector = aiohttp.ClientTimeout(total=ANSWER_SECONDS), aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        people = People(urls, http)
        await (people.closed(wide, seconds) if wide else people.steadily(rate, seconds))
    return people.visits


class Site:
    """The shop with its events, and who visits it."""

    def __init__(self, system: System) -> None:
        self._web = system.addresses["web"]
        self.urls = {name: self._put_on_sale(system, name) for name in (*QUIET, HOT)}

    def _put_on_sale(self, system: System, name: str) -> str:
        event = {**EVENT, "identifier": name.lower().replace(" ", "-"), "name": name}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(event, file)
            file.flush()
            system.load(file.name)
        system.wait_until_quiet("catalog", consumers={"inventory"})
        page = httpx.get(self._web, params={"q": name}).text
        event_id = page.partition('href="/events/')[2][:36]
        return f"{self._web}/events/{event_id}"

    def visit(self, *names: str, rate: float = 0.0, seconds: float, wide: int = 0) -> subprocess.Popen[bytes]:
        """People of these events, in a process of their own; it prints `Visits`."""
        said = json.dumps([[self.urls[name] for name in names], rate, seconds, wide])
        command = [sys.executable, "-m", "local.bench.isolation", "--visit", said]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def visits_of(process: subprocess.Popen[bytes]) -> Visits:
    """What a process of people said at its end."""
    found: dict[str, Any] = json.loads(process.communicate(timeout=ANSWER_SECONDS + TURN_SECONDS)[0])
    return Visits(**{**found, "failed": Counter(found["failed"])})


@dataclass
class Found:
    """Of one way, over all turns: what the quiet ones met, what the crowd did, and how many processors were busy."""

    quiet: Visits = field(default_factory=Visits)
    crowd: Visits = field(default_factory=Visits)
    cores: list[float] = field(default_factory=list)

    def add(self, into: Visits, visits: Visits) -> None:
        """One more turn."""
        for name in ("page", "hold", "refused"):
            getattr(into, name).extend(getattr(visits, name))
        into.failed.update(visits.failed)


def turn(site: Site, way: str, rate: float, burn: float, found: Found) -> None:
    """One turn; `rate` is that of the crowd, `burn` how many processors something else takes instead of it."""
    crowd, burners = None, []
    if way == "B":
        crowd = site.visit(HOT, rate=rate, seconds=TURN_SECONDS)
    elif way == "C":
        cores = os.cpu_count() or 1
        command = [sys.executable, "-c", _BURNS, str(min(1.0, burn / cores))]
        burners = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(cores)]
    before, began = machine_cpu_seconds(), time.perf_counter()
    quiet = site.visit(*QUIET, rate=rate * (1 - SHARE) / SHARE, seconds=TURN_SECONDS)
    found.add(found.quiet, visits_of(quiet))
    found.cores.append((machine_cpu_seconds() - before) / (time.perf_counter() - began))
    for each in burners:
        each.communicate()
    if crowd is not None:
        found.add(found.crowd, visits_of(crowd))
    time.sleep(REST_SECONDS)


def told(found: dict[str, Found]) -> str:
    """The table, and what it comes to."""
    lines = [f"{'':20}{'page p50':>12}{'p99':>8}{'hold p50':>12}{'p99':>8}{'failed':>8}{'busy cores':>12}   (ms)"]
    for way, each in found.items():
        figures = [value for kind in (each.quiet.page, each.quiet.hold) for value in _figures(kind)]
        failed, cores = each.quiet.failed.total(), statistics.median(each.cores)
        widths = zip(figures, (12, 8, 12, 8), strict=True)
        cells = "".join(f"{value:{width}.0f}" for value, width in widths)
        lines.append(f"{WAYS[way]:20}{cells}{failed:8}{cores:12.2f}")
    for kind in ("page", "hold"):
        alone, crowd, other = (_figures(getattr(found[way].quiet, kind))[1] for way in WAYS)
        lines.append(f"p99 of a {kind}: {crowd / alone:.2f} x (2 x is wanted); beside other work {other / alone:.2f} x")
    crowd_met = found["B"].crowd
    held, refused = len(crowd_met.hold), crowd_met.failed.total()
    lines.append(
        f"the crowd: {held} held (p99 {_figures(crowd_met.hold)[1]:.0f} ms), {refused} did not: {dict(crowd_met.failed)}"
    )
    return "\n".join(lines)


def _figures(values: list[float]) -> tuple[float, float]:
    return (statistics.median(values), percentile(values, 0.99)) if values else (0.0, 0.0)


def measure(site: Site, rounds: int, load: float) -> dict[str, Found]:
    """All turns."""
    visits_of(site.visit(*QUIET, HOT, wide=CLOSED_WIDE, seconds=CLOSED_SECONDS))
    served = visits_of(site.visit(HOT, wide=CLOSED_WIDE, seconds=CLOSED_SECONDS))
    capacity = len(served.hold) / CLOSED_SECONDS
    rate = SHARE * load * capacity
    print(
        f"A closed loop had {capacity:.1f} a second; the crowd is {rate:.1f}, the quiet ones {rate / 9:.1f} a second."
    )
    found = {way: Found() for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            burn = found["B"].cores[-1] - found["A"].cores[-1] if found["B"].cores else 0.0
            turn(site, way, rate, burn, found[way])
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.isolation", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way (3)")
    parser.add_argument("--load", type=float, default=0.8, help="all traffic, as a part of what is served (0.8)")
    parser.add_argument("--visit", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.visit:
        visits = asyncio.run(visiting(*json.loads(given.visit)))
        print(json.dumps(vars(visits)))
        return
    with temporary_system(durable=True) as system:
        print(told(measure(Site(system), given.rounds, given.load)))
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")


if __name__ == "__main__":
    main()
