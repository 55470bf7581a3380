"""A checkout that takes part in `make bench`: built in a folder of its own, started, and measured in a turn."""

import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from local.bench.printing import measured as measured_printing
from local.bench.reading import SIMULATED, Reading
from local.processes import end, spawn
from local.topology import ROOT, SERVICES

READY_SECONDS = 120.0
STOP_SECONDS = 60.0
MAIL_SECONDS = 900.0
REST_SECONDS = 10.0
STATEMENT_PURCHASES = 5
# Processes whose processor time is not counted to a sale: what is simulated, and what watches.
APART = SIMULATED | {"supervision"}
# What a crowd buys: sold without seats, and more of it than a long bench asks for.
EVENT: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "MusicEvent",
    "identifier": "bench",
    "name": "The Bench",
    "description": "Everybody wants it at once.",
    "startDate": "2036-06-21T19:00:00+02:00",
    "endDate": "2036-06-21T22:00:00+02:00",
    "organizer": {"@type": "Organization", "name": "Bench Promotions"},
    "location": {
        "@type": "Place",
        "name": "The Field",
        "address": {"@type": "PostalAddress", "streetAddress": "1 Field Road", "addressLocality": "Fieldham"},
    },
    "offers": [
        {"@type": "Offer", "name": "Paid", "price": 25, "priceCurrency": "EUR", "inventoryLevel": 200000},
        {"@type": "Offer", "name": "Free", "price": 0, "priceCurrency": "EUR", "inventoryLevel": 200000},
    ],
}
# Runs in any version: with the settings of its catalog.
_LOADS = """
import os, sys
from pathlib import Path
from local.provision import make_secrets
from local.topology import Layout, Ports, programs
layout, ports = Layout(Path(sys.argv[1])), Ports.from_base(int(sys.argv[2]))
catalog = next(p for p in programs(layout, ports, make_secrets(layout), "json") if p.name == "catalog")
os.execve(sys.executable, [sys.executable, "-m", "services.catalog.load", sys.argv[3]], {**os.environ, **catalog.environment})
"""
# Runs in any version, too: what the service answers when it has nothing to do, and holds, 64 wide on kept connections.
_HOLDS = """
import asyncio, json, sys, time
from pathlib import Path
from uuid import uuid4
import aiohttp
from chassis.tokens import ServiceTokens, load_signing_key
keys, url, event_id, class_id, seconds = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5])
headers = {"authorization": "Bearer " + ServiceTokens("orders", load_signing_key(keys / "orders.pem")).to("inventory")}
async def asked(http, make, until):
    count = 0
    while time.perf_counter() < until:
        method, path, body = make()
        async with http.request(method, url + path, json=body, headers=headers if body else None) as answer:
            await answer.read()
            assert answer.status < 300, (answer.status, await answer.text())
        count += 1
    return count
def hold():
    body = {"order_id": str(uuid4()), "places": [{"class_id": class_id, "quantity": 1}], "ttl_seconds": 120}
    return "PUT", f"/events/{event_id}/holds/{uuid4()}", body
async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        rates = {"livez": [], "hold": []}
        for turn in range(6):
            for name, make in (("livez", lambda: ("GET", "/livez", None)), ("hold", hold)):
                until = time.perf_counter() + seconds / 6
                counts = await asyncio.gather(*(asked(http, make, until) for _ in range(64)))
                rates[name].append(sum(counts) / (seconds / 6))
        print(json.dumps(rates))
asyncio.run(main())
"""


class ContestFailed(Exception):
    """A checkout could not be measured; the message says what did not work, and where to look."""


@dataclass(frozen=True)
class Sizes:
    """How much a turn does."""

    purchases: int
    rush: int
    wide: int


@dataclass
class Contestant:
    """A checkout with its own environment, data folder and ports."""

    name: str
    checkout: Path
    data: Path
    base_port: int
    found: dict[str, list[float]] = field(default_factory=dict)
    # What `make up` is told beyond that, as arguments of local/up.py.
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def of_commit(cls, commit: str, folder: Path, base_port: int) -> Self:
        """Clones this repository at a commit and installs what it needs, unless that was done before. Raises ContestFailed."""
        sha = _said(["git", "rev-parse", "--short=10", f"{commit}^{{commit}}"], ROOT).strip()
        checkout = folder / sha
        if not (checkout / ".git").exists():
            _said(["git", "clone", "--quiet", "--shared", str(ROOT), str(checkout)], ROOT)
            _said(["git", "checkout", "--quiet", sha], checkout)
        _said([sys.executable, "local/bootstrap.py", "run", "-c", ""], checkout)
        return cls(sha, checkout, folder / f"{sha}.data", base_port)

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.checkout / ".venv/bin/python")

    @property
    def reading(self) -> Reading:
        """Of its running system."""
        return Reading(self.data / "run.json")

    def start(self) -> float:
        """Starts its system, as `make up` does; after how many seconds it was ready. Raises ContestFailed."""
        began = time.perf_counter()
        command = [sys.executable, "local/bootstrap.py", "run", "-m", "local.up"]
        options = ["--data", str(self.data), "--ports", str(self.base_port)]
        with self.data.with_suffix(".log").open("wb") as log:
            self._process = spawn([*command, *options, *self.options], output=log, env=os.environ, cwd=self.checkout)
        while not self.reading.run_file.exists():
            if self._process.poll() is not None or time.perf_counter() - began > READY_SECONDS:
                raise ContestFailed(f"{self.name} did not start; see {log.name}.")
            time.sleep(0.02)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ends its system."""
        process, self._process = self._process, None
        if process is not None:
            end(process, (signal.SIGTERM, STOP_SECONDS))

    def load(self) -> None:
        """Puts the event on sale. Raises ContestFailed."""
        file = self.data.with_suffix(".event.json")
        file.write_text(json.dumps(EVENT))
        _said([self.python, "-c", _LOADS, str(self.data), str(self.base_port), str(file)], self.checkout)

    def event_id(self) -> str:
        """Of that event. Raises ContestFailed if it is not on sale."""
        page = _said(["curl", "--silent", "--fail", f"{self.reading.told['addresses']['web']}/?q=The+Bench"], ROOT)
        found = re.search(r'href="/events/([0-9a-f-]{36})"', page)
        if found is None:
            raise ContestFailed(f"{self.name} does not show the event that it should sell.")
        return found[1]

    def note(self, row: str, value: float) -> None:
        """One more value of a row."""
        self.found.setdefault(row, []).append(value)


async def turn(contestant: Contestant, sizes: Sizes) -> None:
    """Measures a running system. Raises ContestFailed if a purchase failed."""
    reading, event_id = contestant.reading, contestant.event_id()
    await crowd(contestant, event_id, sizes.purchases // 4, 8)
    await crowd(contestant, event_id, sizes.purchases // 4, 8, "--free")
    await _at_rest(contestant)
    await _of_one_purchase(contestant, event_id)
    for row, wide, *options in (("free", 16, "--free"), ("paid", 16)):
        before, reference = cpu_of_sale(reading), Reference()
        await crowd(contestant, event_id, sizes.purchases, wide, *options, reference=reference)
        spent = {name: seconds - before[name] for name, seconds in cpu_of_sale(reading).items()}
        contestant.note(f"CPU of a {row} purchase, ms", 1000 * sum(spent.values()) / sizes.purchases)
        for name, seconds in spent.items():
            contestant.note(f"{row}: {name}", 1000 * seconds / sizes.purchases)
        contestant.note(f"reference beside {row}, us", reference.microseconds)
    # Under so many at once a version may refuse some: that is said, and what it sold counts.
    came, last_mail = await crowd(contestant, event_id, sizes.rush, sizes.wide, may_fail=True)
    contestant.note("purchases of the rush that failed", sizes.rush - came["bought"])
    contestant.note("paid purchases a second, until the last mail", came["bought"] / last_mail)
    contestant.note("paid purchases a second, tickets on the page", came["bought"] / came["seconds"])
    contestant.note("longest way of a mail, s", came["backlog"])
    contestant.note("PSS of everything, MiB", sum(reading.memory_mib().values()))
    contestant.note("a hold against the no-op", await asyncio.to_thread(_hold_ratio, contestant, event_id))
    contestant.note("a ticket's PDF, ms", measured_printing(contestant.checkout, "Die Dreigroschenoper", 20, 1)["warm"])


def cpu_of_sale(reading: Reading) -> dict[str, float]:
    """Processor seconds until now of each service, Postgres and NATS; not of what is simulated, nor of what watches."""
    return {name: spent for name, spent in reading.cpu_seconds().items() if name not in APART}


async def _at_rest(contestant: Contestant) -> None:
    reading = contestant.reading
    await asyncio.sleep(2)
    await reading.statements_logged(on=True)
    await asyncio.sleep(1)
    statements, cpu = reading.statements(), sum(cpu_of_sale(reading).values())
    await asyncio.sleep(REST_SECONDS)
    contestant.note("at rest: statements a second", (reading.statements() - statements) / REST_SECONDS)
    contestant.note("at rest: CPU, ms a second", 1000 * (sum(cpu_of_sale(reading).values()) - cpu) / REST_SECONDS)


async def _of_one_purchase(contestant: Contestant, event_id: str) -> None:
    """Statements and requests, one purchase after another; `_at_rest` has switched the log on."""
    reading = contestant.reading
    before, began = reading.statements(), time.perf_counter()
    came, _ = await crowd(contestant, event_id, STATEMENT_PURCHASES, 1)
    await asyncio.sleep(2)
    idle = contestant.found["at rest: statements a second"][-1] * (time.perf_counter() - began)
    contestant.note("statements of a paid purchase", (reading.statements() - before - idle) / STATEMENT_PURCHASES)
    await reading.statements_logged(on=False)
    requests = [reading.requests_between(trace, SERVICES) for trace in came["traces"]]
    contestant.note("requests between services", statistics.mean(requests))


async def crowd(
    contestant: Contestant,
    event_id: str,
    count: int,
    wide: int,
    *options: str,
    reference: "Reference | None" = None,
    may_fail: bool = False,
) -> tuple[dict[str, Any], float]:
    """What came of a crowd, and after how many seconds the last mail was out.

    Raises ContestFailed unless all have all, or with `may_fail` if nobody has anything.
    """
    reading = contestant.reading
    captured = await reading.captured()
    began = time.time()
    of = ("--event", event_id, "--count", str(count), "--wide", str(wide))
    came = await came_of("local.bench.crowd", str(reading.run_file), *of, *options, reference=reference)
    if came.get("bought") != count and not (may_fail and came.get("bought")):
        raise ContestFailed(f"{contestant.name}: {came.get('bought')} of {count} bought; {came.get('failures')}")
    mails = await all_mails(contestant.name, reading.mails, came["done_at"])
    came["backlog"] = max(mails[email] - done for email, done in came["done_at"].items())
    more, paid = (now - then for now, then in zip(await reading.captured(), captured, strict=True))
    # Whoever was refused after the bank had taken the money may have tickets that they never saw.
    if came["paid_minor"] and came["bought"] == count and (more, paid) != (count, came["paid_minor"]):
        raise ContestFailed(f"{contestant.name}: buyers paid {came['paid_minor']}, and its books say {paid}.")
    return came, max(mails[email] for email in came["done_at"]) - began


async def came_of(module: str, *arguments: str, reference: "Reference | None" = None) -> dict[str, Any]:
    """What a crowd, which is a program of its own, said that came of it; nothing if it broke. The reference loop runs beside."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said = asyncio.create_task(process.communicate())
    while not said.done():
        if reference is not None:
            reference.once()
        await asyncio.wait({said}, timeout=0.2)
    came: dict[str, Any] = json.loads((await said)[0] or b"{}")
    return came


async def all_mails(name: str, mails_of: Callable[[], dict[str, float]], wanted: dict[str, float]) -> dict[str, float]:
    """When the mails with tickets came, by address, as soon as all have that are wanted. Raises ContestFailed after `MAIL_SECONDS`."""
    deadline = time.monotonic() + MAIL_SECONDS
    while missing := wanted.keys() - (mails := mails_of()).keys():
        if time.monotonic() > deadline:
            raise ContestFailed(f"{name}: {len(missing)} of {len(wanted)} mails did not come.")
        await asyncio.sleep(0.5)
    return mails


def _hold_ratio(contestant: Contestant, event_id: str) -> float:
    told = contestant.reading.told["addresses"]
    page = _said(["curl", "--silent", "--fail", f"{told['web']}/events/{event_id}"], ROOT)
    class_id = page.partition('name="quantity-')[2][:36]
    arguments = [str(contestant.data / "keys"), told["inventory"], event_id, class_id, "6"]
    rates: dict[str, list[float]] = json.loads(
        _said([contestant.python, "-c", _HOLDS, *arguments], contestant.checkout)
    )
    return statistics.median(rates["hold"]) / statistics.median(rates["livez"])


@dataclass
class Reference:
    """How quick the machine is meanwhile: the processor time of a piece of work that never changes."""

    taken: list[float] = field(default_factory=list)

    def once(self) -> None:
        """Does it once, in about a millisecond."""
        began = time.thread_time()
        json.loads(json.dumps([{"a": number, "b": str(number)} for number in range(400)]))
        self.taken.append(time.thread_time() - began)

    @property
    def microseconds(self) -> float:
        """The median."""
        return 1e6 * statistics.median(self.taken)


def _said(command: list[str], folder: Path) -> str:
    """What a command printed. Raises ContestFailed with its last words if it failed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise ContestFailed(f"{' '.join(command)[:120]} failed in {folder}: {(done.stderr or done.stdout)[-800:]}")
    return done.stdout
