"""What inventory does with ten times the load that it can serve: `python -m local.bench.overload [--rounds 3] [--times 10]`.

A whole system of its own, every trace kept; one process of inventory on a durable Postgres. In turns, all in one run: a closed loop of
so many who each wait for their answer finds the most holds of one event that are granted in a second (the peak); then ten times as many
wishes a second fall due, whether or not others are answered (local/bench/storm.py); then the same for a class of which nothing is left.
Reported are refusals (410, 429, 503) and grants with their times, and goodput (grants a second) as a share of the peak. The client
shares the processors with all of it: what it takes is reported, too. `--site` asks the whole site in the same way, as people do.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.tokens import ServiceTokens, load_signing_key
from local.bench.contest import EVENT
from local.bench.isolation import HOT, Site, visits_of
from local.bench.reading import Reading
from local.bench.storm import ID, percentile
from local.system import System
from local.temporary import temporary_system
from local.topology import ROOT

CLOSED_SECONDS, OPEN_SECONDS, SPARE_SECONDS = 5.0, 6.0, 60.0
GRANTED = "201"
REFUSED = ("410", "429", "503")
SITE_WIDE = 12
# Nobody's hold ends meanwhile.
TTL_SECONDS = 600
_CLASS = re.compile(r'name="quantity-([0-9a-f-]{36})"')


@dataclass
class Round:
    """What one turn found, as `Stormed` of local/bench/storm.py; `peak` is in grants a second."""

    peak: float
    storm: dict[str, Any]
    sold_out: dict[str, Any]
    cpu: dict[str, float] = field(default_factory=dict)


class Inventory:
    """The service as orders asks it, with one event that has plenty and a class with nothing left."""

    def __init__(self, system: System) -> None:
        self._tokens = ServiceTokens("orders", load_signing_key(system.layout.keys / "orders.pem"))
        self._url = httpx.URL(system.addresses["inventory"])
        self.event_id, self.plenty, self.nothing = self._put_on_sale(system)

    def _put_on_sale(self, system: System) -> tuple[str, str, str]:
        offer: dict[str, Any] = {"@type": "Offer", "priceCurrency": "EUR"}
        plenty = offer | {"name": "Plenty", "price": 25, "inventoryLevel": 1_000_000}
        event = EVENT | {"offers": [plenty, offer | {"name": "One", "price": 30, "inventoryLevel": 1}]}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(event, file)
            file.flush()
            system.load(file.name)
        system.wait_until_quiet("catalog", consumers={"inventory"})
        page = httpx.get(system.addresses["web"], params={"q": EVENT["name"]}).text
        event_id = re.findall(r'href="/events/([0-9a-f-]{36})"', page)[0]
        page = httpx.get(f"{system.addresses['web']}/events/{event_id}").text
        plenty_id, other_id = _CLASS.findall(page)
        path, body = self._wish(event_id, other_id)
        answer = httpx.put(f"{self._url}{path}".replace(ID.decode(), event_id), json=body, headers=self._headers())
        answer.raise_for_status()
        return event_id, plenty_id, other_id

    def _wish(self, event_id: str, class_id: str) -> tuple[str, dict[str, Any]]:
        body = {"order_id": ID.decode(), "places": [{"class_id": class_id, "quantity": 1}], "seats": []}
        return f"/events/{event_id}/holds/{ID.decode()}", body | {"ttl_seconds": TTL_SECONDS}

    def _headers(self) -> dict[str, str]:
        return {
            "host": self._url.netloc.decode(),
            "authorization": "Bearer " + self._tokens.to("inventory"),
            "content-type": "application/json",
            "onsale-deadline-ms": "5000",
        }

    def asked(self, class_id: str, **how: float) -> dict[str, Any]:
        """What came of a storm of wishes for a class."""
        path, document = self._wish(self.event_id, class_id)
        body = json.dumps(document)
        headers = self._headers() | {"content-length": str(len(body))}
        lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
        spec = {"host": self._url.host, "port": self._url.port, "request": "\r\n".join(lines), **how}
        command = [sys.executable, "-m", "local.bench.storm", json.dumps(spec)]
        said = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=how["seconds"] + SPARE_SECONDS
        )
        found: dict[str, Any] = json.loads(said.stdout)
        return found


def goodput(stormed: Mapping[str, Any]) -> float:
    """Grants a second."""
    return float(stormed["answers"].get(GRANTED, {"count": 0})["count"] / stormed["seconds"])


def one_round(system: System, inventory: Inventory, wide: int, times: float, most: int) -> Round:
    """Peak, storm, and storm on what is sold out."""
    reading = Reading(system.layout.run_file)
    closed = [inventory.asked(inventory.plenty, wide=each, seconds=CLOSED_SECONDS) for each in (wide, wide)]
    peak = max(map(goodput, closed))
    rate = times * peak
    before = reading.cpu_seconds()
    storm = inventory.asked(inventory.plenty, rate=rate, most=most, seconds=OPEN_SECONDS)
    took = {name: spent - before.get(name, 0.0) for name, spent in reading.cpu_seconds().items()}
    cpu = {name: spent / storm["seconds"] for name, spent in took.items() if spent > 0.05}
    sold_out = inventory.asked(inventory.nothing, rate=rate, most=most, seconds=OPEN_SECONDS)
    return Round(peak, storm, sold_out, cpu | {"client": storm["cpu_seconds"] / storm["seconds"]})


def told(number: int, each: Round) -> str:
    """A turn, in lines."""
    lines = [
        f"round {number}: peak {each.peak:.0f} grants/s; goodput {goodput(each.storm):.0f} ({goodput(each.storm) / each.peak:.0%})"
    ]
    for name, stormed in (("storm", each.storm), ("sold out", each.sold_out)):
        lines.append(f"  {name}: {stormed['unanswered']} unanswered, {stormed['lost']} lost; ms from due | sent")
        for status, times in stormed["answers"].items():
            due, sent = (f"p50 {times[f'{of}_p50']:.1f} p99 {times[f'{of}_p99']:.1f}" for of in ("due", "sent"))
            lines.append(f"    {status}: {times['count'] / stormed['seconds']:8.0f}/s  {due} | {sent}")
    cores = ", ".join(f"{name} {spent:.2f}" for name, spent in each.cpu.items())
    return "\n".join([*lines, f"  cores in the storm: {cores}"])


def middle(rounds: list[Round]) -> str:
    """The medians of all turns, against what is wanted."""

    def p99(kind: str, statuses: tuple[str, ...], of: str) -> float:
        found = [
            max((t[f"{of}_p99"] for s, t in getattr(r, kind)["answers"].items() if s in statuses), default=0.0)
            for r in rounds
        ]
        return statistics.median(found)

    share = statistics.median(goodput(each.storm) / each.peak for each in rounds)
    lines = [f"goodput of the peak: {share:.0%} (80 % is wanted)"]
    for name, kind, statuses, most in (
        ("refusals", "storm", REFUSED, 100),
        ("grants", "storm", (GRANTED,), 1000),
        ("refusals of what is sold out", "sold_out", REFUSED, 100),
    ):
        due, sent = p99(kind, statuses, "due"), p99(kind, statuses, "sent")
        lines.append(f"p99 of {name}: {due:.0f} ms from when due, {sent:.0f} ms from when sent ({most} is wanted)")
    return "\n".join(lines)


def through_the_site(system: System, times: float) -> str:
    """What people meet who open the page of one event and hold a place: first as many as are served, then so many times as many."""
    site = Site(system)
    visits_of(site.visit(HOT, wide=SITE_WIDE, seconds=CLOSED_SECONDS))
    served = visits_of(site.visit(HOT, wide=SITE_WIDE, seconds=CLOSED_SECONDS))
    peak = len(served.hold) / CLOSED_SECONDS
    began = time.perf_counter()
    met = visits_of(site.visit(HOT, rate=times * peak, seconds=OPEN_SECONDS))
    took = time.perf_counter() - began
    lines = [
        f"the site: peak {peak:.1f} holds/s; {times:g} times as many: {len(met.hold) / took:.1f} held a second of {took:.0f} s"
    ]
    for what, found in (("page", met.page), ("hold", met.hold), ("refusal, its page", met.refused)):
        if found:
            worst = percentile(found, 0.99)
            lines.append(
                f"  {what}: {len(found)}, ms p50 {statistics.median(found):.0f} p99 {worst:.0f} most {max(found):.0f}"
            )
    return "\n".join([*lines, f"  refused: {dict(met.failed)}"])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.overload", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns (3)")
    parser.add_argument("--wide", type=int, default=32, help="who ask at once in the closed loop (32)")
    parser.add_argument("--times", type=float, default=10.0, help="how much more is asked than can be served (10)")
    parser.add_argument("--most", type=int, default=512, help="connections of the storm at most (512)")
    parser.add_argument("--site", action="store_true", help="instead, what people meet at the whole site")
    given = parser.parse_args()
    rounds = []
    with temporary_system(durable=True) as system:
        if given.site:
            print(through_the_site(system, given.times))
            return
        inventory = Inventory(system)
        inventory.asked(inventory.plenty, wide=given.wide, seconds=CLOSED_SECONDS)
        for number in range(given.rounds):
            rounds.append(one_round(system, inventory, given.wide, given.times, given.most))
            print(told(number + 1, rounds[-1]), flush=True)
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")
    print(middle(rounds))


if __name__ == "__main__":
    main()
