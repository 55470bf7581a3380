"""What web's caches and a browser's own save, and what a pin costs: `python -m local.bench.reads [--rounds 6] [--seconds 3]`.

A whole system of its own, with a replica. In turns, all in one run, 16 clients ask for the page of one event: of a web that keeps nothing
(a process of its own, in which the caches are taken out), of web as it is, and again of that with the ETag of what they have. Then catalog
is asked for the event, with a pin that its replica has replayed and without one, and so is a catalog that has no replica. Processor time
is that of the process that is asked; who asks (local/bench/storm.py) is another one. A reference loop runs beside.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from chassis.tokens import ServiceTokens, load_signing_key
from local.bench.contest import EVENT, Reference
from local.bench.reading import tree_cpu_seconds
from local.postgres import PostgresServer
from local.system import System
from local.temporary import temporary_system
from local.topology import ROOT, Ports

WIDE = 16
SPARE_SECONDS = 60.0
REFERENCE_SECONDS = 0.05
START_SECONDS = 60.0
# Of pretix 2026.8.0, from docs/benchmarks.md: by the reference loop, that is as on a quiet machine.
PRETIX_PAGE_MS, QUIET_REFERENCE_US = 65.1, 370.0
WANTED = {"kept": 60, "kept, and who has it (304)": 150}
PAGES = ("nothing kept", *WANTED)
READS = ("replica", "replica, pinned", "primary alone", "primary alone, pinned")
WANTED_PIN = 1.10


@dataclass
class Turns:
    """Of one way to ask, a turn each: answers a second, microseconds of a processor for each, and of the reference loop."""

    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    reference_us: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The median of answers a second."""
        return statistics.median(self.rates)

    @property
    def cpu(self) -> float:
        """The median of microseconds a request."""
        return statistics.median(self.cpu_us)

    @property
    def cpu_quiet(self) -> float:
        """The same as on a quiet machine: by the reference loop."""
        return self.cpu * QUIET_REFERENCE_US / statistics.median(self.reference_us)


@dataclass(frozen=True)
class Way:
    """How is asked: which process, with which headers, and what it is to answer."""

    url: str
    pid: int
    headers: Mapping[str, str]
    status: int = 200


def request_of(url: httpx.URL, headers: Mapping[str, str]) -> str:
    """A request as text."""
    lines = [f"GET {url.raw_path.decode()} HTTP/1.1", f"host: {url.netloc.decode()}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""])


def turn(way: Way, seconds: float, turns: Turns) -> None:
    """One turn. Raises RuntimeError if something else was answered."""
    url = httpx.URL(way.url)
    spec = {"host": url.host, "port": url.port, "request": request_of(url, way.headers), "wide": WIDE}
    command = [sys.executable, "-m", "local.bench.storm", json.dumps({**spec, "seconds": seconds})]
    reference, before = Reference(), tree_cpu_seconds(way.pid)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as storm:
        until = time.monotonic() + seconds + SPARE_SECONDS
        while storm.poll() is None and time.monotonic() < until:
            reference.once()
            time.sleep(REFERENCE_SECONDS)
        storm.kill()
        found: dict[str, Any] = json.loads(storm.communicate()[0])
    took = tree_cpu_seconds(way.pid) - before
    if list(found["answers"]) != [str(way.status)] or found["lost"]:
        raise RuntimeError(f"{way.url} was to answer {way.status} alone, and did not: {found}")
    count = found["answers"][str(way.status)]["count"]
    turns.rates.append(count / found["seconds"])
    turns.cpu_us.append(1e6 * took / count)
    turns.reference_us.append(reference.microseconds)


def in_turns(ways: Callable[[], Mapping[str, Way]], rounds: int, seconds: float) -> dict[str, Turns]:
    """All ways, in an order that is turned round each time; `ways` is asked anew each round, since tokens end."""
    found = {name: Turns() for name in ways()}
    for each in ways().values():
        turn(each, 1.0, Turns())
    for number in range(rounds):
        asked = list(ways().items())
        for name, way in reversed(asked) if number % 2 else asked:
            turn(way, seconds, found[name])
    return found


@contextmanager
def beside(
    system: System, name: str, *, without: tuple[str, ...] = (), bare: bool = False
) -> Iterator[tuple[str, int]]:
    """Another process of a service, with its environment: its address and its process id. `bare`: it keeps nothing."""
    program = system._programs[name]  # noqa: SLF001  # its secrets are nobody's but the system's, and this is its twin
    with tempfile.TemporaryFile() as log:
        port = Ports.free().of["web"]
        environment = {key: value for key, value in program.environment.items() if key not in without}
        module = ("local.bench.reads", "--bare") if bare else ("chassis.serve", f"services.{name}.app:create_app")
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env={**os.environ, **environment, f"{name.upper()}_PORT": str(port)},
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} was not ready within {START_SECONDS:.0f} s.")


def serve_bare() -> None:
    """Serves web with its caches taken out: each page asks everybody, and is drawn."""
    from chassis.serve import serve  # only in the process that is this web
    from services.web.frame.cache import Cache, Cached
    from services.web.frame.shared_pages import Drawn, SharedPages

    async def get(_self: Any, _key: Any, load: Any) -> Any:
        return Cached(await load())

    def drawn(self: Any, _key: Any, sources: Any, draw: Any) -> Any:
        return Drawn(draw(), self.marks, sources, 0.0)

    Cache.get = get  # type: ignore[assignment, method-assign]
    SharedPages.drawn = drawn  # type: ignore[assignment, method-assign]
    serve("services.web.app:create_app")


def put_on_sale(system: System) -> str:
    """The event that is looked at."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(EVENT, file)
        file.flush()
        system.load(file.name)
    system.wait_until_quiet("catalog", consumers={"inventory"})
    page = httpx.get(system.addresses["web"], params={"q": EVENT["name"]}).text
    return page.partition('href="/events/')[2][:36]


def page_ways(system: System, event_id: str, bare: tuple[str, int]) -> dict[str, Way]:
    """Somebody new each time, as `bench-pretix` asks; and a browser that has been there."""
    accepts = {"accept": "text/html", "accept-encoding": "gzip, deflate"}
    kept = f"{system.addresses['web']}/events/{event_id}"
    with httpx.Client() as browser:
        tag = browser.get(kept).headers["etag"]
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    has_it = accepts | {"cookie": cookies, "if-none-match": tag}
    web = system.pid("web")
    ways = (Way(f"{bare[0]}/events/{event_id}", bare[1], accepts), Way(kept, web, accepts), Way(kept, web, has_it, 304))
    return dict(zip(PAGES, ways, strict=True))


def read_ways(system: System, event_id: str, alone: tuple[str, int], pin: str) -> dict[str, Way]:
    """Catalog as web asks it."""
    token = ServiceTokens("web", load_signing_key(system.layout.keys / "web.pem")).to("catalog")
    plain = {"authorization": f"Bearer {token}", "onsale-deadline-ms": "5000"}
    pinned = plain | {"onsale-pin": pin}
    servers = ((system.addresses["catalog"], system.pid("catalog")), alone)
    ways = [Way(f"{url}/events/{event_id}", pid, headers) for url, pid in servers for headers in (plain, pinned)]
    return dict(zip(READS, ways, strict=True))


async def replayed(replica: PostgresServer) -> str:
    """A position that the replica has come to."""
    password = replica.password
    connection = await asyncpg.connect(
        host="127.0.0.1", port=replica.port, user="postgres", password=password, database="postgres"
    )
    try:
        return str(await connection.fetchval("SELECT pg_last_wal_replay_lsn()"))
    finally:
        await connection.close()


def told(pages: Mapping[str, Turns], reads: Mapping[str, Turns]) -> str:
    """The tables, and what they come to."""
    lines = [f"{'':30}{'a second':>10}{'CPU us':>10}{'quiet':>8}   reference us"]
    for name, each in {**pages, **reads}.items():
        spread = f"{min(each.reference_us):.0f}-{max(each.reference_us):.0f}"
        lines.append(f"{name:30}{each.rate:10.0f}{each.cpu:10.0f}{each.cpu_quiet:8.0f}   {spread}")
    bare = pages[PAGES[0]]
    for name, wanted in WANTED.items():
        by_cpu, by_rate = bare.cpu / pages[name].cpu, pages[name].rate / bare.rate
        of_pretix = 1000 * PRETIX_PAGE_MS / pages[name].cpu_quiet
        lines.append(
            f"{name}: 1/{by_cpu:.1f} of the CPU without caches, {by_rate:.1f} x as many a second; "
            f"1/{of_pretix:.0f} of pretix' CPU (1/{wanted} is wanted)"
        )
    for where in ("replica", "primary alone"):
        ratio = statistics.median(
            pinned / plain for pinned, plain in zip(reads[f"{where}, pinned"].cpu_us, reads[where].cpu_us, strict=True)
        )
        lines.append(f"a pinned read ({where}): {ratio:.2f} of one without a pin (at most {WANTED_PIN:.2f} is wanted)")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.reads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="turns of each way (6)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn is (3)")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        serve_bare()
        return
    with temporary_system(replicas=1) as system, ExitStack() as stack:
        event_id = put_on_sale(system)
        bare = stack.enter_context(beside(system, "web", bare=True))
        pages = in_turns(lambda: page_ways(system, event_id, bare), given.rounds, given.seconds)
        alone = stack.enter_context(beside(system, "catalog", without=("CATALOG_REPLICA_URL",)))
        if system.replica is None:
            raise RuntimeError("There is no replica.")
        pin = asyncio.run(replayed(system.replica))
        reads = in_turns(lambda: read_ways(system, event_id, alone, pin), given.rounds, given.seconds)
    print(told(pages, reads))
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")


if __name__ == "__main__":
    main()
