"""`make bench-transport`: calls between services over HTTP and over the bus, in turns in one run: latency, CPU of both ends, and what a
purchase takes.

A call goes from one process to another, each with all that a service of ours has around a call: tokens, deadline, both spans, measures,
and spans sent away. Purchases are made one after the other in two whole systems, of which the other one only idles.
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop

from chassis.broker import Broker
from chassis.calls import ServiceCalls
from chassis.over_bus import CallsOverBus
from chassis.tokens import ServiceTokens, load_signing_key
from local.bench.sink import Sink
from local.buyer import Buyer, Wish
from local.nats import NatsServer
from local.processes import LOOPBACK, free_port
from local.provision import make_keys
from local.ready import is_ready
from local.temporary import temporary_system
from local.topology import ROOT, Layout, Transport
from tracing.metrics import Metrics
from tracing.setup import TracingSettings, set_up_tracing

WAYS: tuple[Transport, ...] = ("http", "bus")
PROVIDER, ASKER = "answering", "orders"
WIDTHS = (1, 16)
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60.0
ROUTE = {"route": "/things/{thing_id}"}


@dataclass
class Measured:
    """What came of one way and one width: a value of each round, in milliseconds."""

    median: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    asker: list[float] = field(default_factory=list)
    provider: list[float] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """A row of the table: of each column the median of the rounds."""
        found = [statistics.median(each) for each in (self.median, self.p99, self.asker, self.provider, self.nats)]
        median, p99, asker, provider, nats = found
        return f"{name:<16}{median:>9.2f}{p99:>9.2f}{asker + provider:>12.3f}{asker:>9.3f}{provider:>10.3f}{nats:>8.3f}"


class Process:
    """The asking process of one way, and the pids whose CPU counts."""

    def __init__(self, asker: "subprocess.Popen[str]", provider: int, nats: int) -> None:
        self._asker = asker
        self._provider = provider
        self._nats = nats

    def ask(self, calls: int, width: int) -> dict[str, float]:
        """Makes so many calls, so many at once. Milliseconds: of the clock, and of CPU for each call."""
        before = [cpu_seconds(pid) for pid in (self._asker.pid, self._provider, self._nats)]
        if self._asker.stdin is None or self._asker.stdout is None:
            raise RuntimeError("The asking process has no ends.")
        self._asker.stdin.write(f"{calls} {width}\n")
        self._asker.stdin.flush()
        found: dict[str, float] = json.loads(self._asker.stdout.readline())
        after = [cpu_seconds(pid) for pid in (self._asker.pid, self._provider, self._nats)]
        used = [1000 * (late - early) / calls for early, late in zip(before, after, strict=True)]
        return found | dict(zip(("asker", "provider", "nats"), used, strict=True))


def cpu_seconds(pid: int) -> float:
    """What a process has used, all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure_calls(folder: Path, rounds: int, calls: int) -> None:
    """Prints the table of calls."""
    layout = Layout(folder)
    make_keys(layout)
    found = {(way, width): Measured() for width in WIDTHS for way in WAYS}
    async with Sink() as sink:
        stack = ExitStack()
        try:
            nats = stack.enter_context(NatsServer())
            ways = {}
            for way in WAYS:
                running = _started(way, layout.keys, nats, sink.url)
                ways[way] = await asyncio.to_thread(stack.enter_context, running)
            for number in range(rounds + 1):
                await asyncio.to_thread(_round, ways, found, calls, number)
        finally:
            await asyncio.to_thread(stack.close)  # meanwhile the sink hears that they have gone
    print(f"{'ms':<16}{'median':>9}{'p99':>9}{'CPU a call':>12}{'asking':>9}{'answering':>10}{'NATS':>8}")
    for (way, width), measured in found.items():
        print(measured.line(f"{way}, {width} at once"))


def _round(
    ways: dict[Transport, Process], found: dict[tuple[Transport, int], Measured], calls: int, number: int
) -> None:
    for width in WIDTHS:
        for way in WAYS if number % 2 else reversed(WAYS):
            came = ways[way].ask(calls, width)
            for name, value in came.items() if number else ():  # the first round warms up
                getattr(found[way, width], name).append(value)


@contextmanager
def _started(way: Transport, keys: Path, nats: NatsServer, otlp: str) -> Iterator[Process]:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    settings = {
        "TRANSPORT": way, "PORT": str(port), "NATS_URL": nats.url(), "OTLP_ENDPOINT": otlp, "LOG_LEVEL": "ERROR",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "KEY_FILE": str(keys / "catalog.pem"),
        "SERVICE_KEYS_FILE": str(keys / "services.jwks.json"), "PERSON_KEYS_URL": "file:/none",
    }  # fmt: skip
    environment = os.environ | {f"{PROVIDER.upper()}_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "chassis.serve", "local.bench.answering:create_app"]
    provider = subprocess.Popen(command, cwd=ROOT, env=environment)
    asker = subprocess.Popen(
        [sys.executable, "-m", "local.bench.transport", "--ask", way, "--at", url, str(keys), nats.url(), otlp],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        ready = f"{url}/livez" if way == "http" else f"{nats.url()}/{PROVIDER}/livez"
        deadline = time.monotonic() + START_SECONDS
        while not is_ready(ready):
            if time.monotonic() > deadline:
                raise TimeoutError(f"The answering service did not start over {way}.")
            time.sleep(0.05)
        yield Process(asker, provider.pid, nats.pid or 0)
    finally:
        for each in (asker, provider):
            each.terminate()
            each.wait()


async def ask(way: Transport, url: str, keys: Path, nats_url: str, otlp: str) -> None:
    """The asking process: a line with a number of calls and a width, a line with what they took; until its input ends."""
    provider = set_up_tracing(TracingSettings(ASKER, "0", "test", otlp))
    tokens, metrics = ServiceTokens(ASKER, load_signing_key(keys / f"{ASKER}.pem")), Metrics()
    broker = Broker(nats_url, ASKER)
    carry = CallsOverBus(broker, ASKER).to(PROVIDER) if way == "bus" else None
    keeping = asyncio.create_task(broker.run())
    address = f"bus://{PROVIDER}" if way == "bus" else url
    async with ServiceCalls(PROVIDER, address, tokens, metrics=metrics, carry=carry) as calls:
        while line := await asyncio.to_thread(sys.stdin.readline):
            count, width = map(int, line.split())
            taken: list[float] = []
            await asyncio.gather(*(_call(calls, count // width, taken) for _ in range(width)))
            taken.sort()
            print(json.dumps({"median": taken[len(taken) // 2], "p99": taken[len(taken) * 99 // 100]}), flush=True)
    keeping.cancel()
    provider.shutdown()


async def _call(calls: ServiceCalls, count: int, taken: list[float]) -> None:
    for number in range(count):
        began = time.perf_counter()
        answer = await calls.request("GET", f"/things/{UUID(int=number)}", extensions=ROUTE)
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise RuntimeError(f"It was answered {answer.status_code}: {answer.content!r}")


async def measure_purchases(purchases: int) -> None:
    """Prints what a purchase takes, from the page of the event to the mail: without a crowd, in turns."""
    with ExitStack() as stack:
        systems = {}
        for way in WAYS:
            systems[way] = await asyncio.to_thread(stack.enter_context, temporary_system(transport=way))
        events = {way: await Buyer(system.addresses, Wish()).find_events() for way, system in systems.items()}
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for number in range(purchases + 3):
            for way in WAYS if number % 2 else reversed(WAYS):
                purchase = await Buyer(systems[way].addresses, Wish()).buy(events[way])
                if purchase.failure is not None:
                    raise RuntimeError(f"Over {way}: {purchase.failure}")
                if number >= 3:  # the first ones fill caches
                    taken[way].append(purchase.total_ms)
    print(f"\n{'a purchase, ms':<16}{'median':>9}{'least':>9}{'of':>6}")
    for name, found in taken.items():
        print(f"{name:<16}{statistics.median(found):>9.0f}{min(found):>9.0f}{len(found):>6}")
    ratio = statistics.median(taken["bus"]) / statistics.median(taken["http"])
    print(f"The bus takes {ratio:.2f} times as long at the median.")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-transport", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of calls (ROUNDS=)")
    parser.add_argument("--calls", type=int, default=2000, help="calls of each way and width in a round (CALLS=)")
    parser.add_argument("--purchases", type=int, default=40, help="purchases over each; 0: none (PURCHASES=)")
    parser.add_argument("--ask", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--at", nargs=4, help=argparse.SUPPRESS)
    chosen: Any = parser.parse_args()
    if chosen.ask:
        url, keys, nats_url, otlp = chosen.at
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as a service's server has it
            runner.run(ask(chosen.ask, url, Path(keys), nats_url, otlp))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure_calls(Path(folder), chosen.rounds, chosen.calls))
    if chosen.purchases:
        asyncio.run(measure_purchases(chosen.purchases))
    return 0


if __name__ == "__main__":
    sys.exit(main())
