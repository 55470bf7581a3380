"""`make bench-regions`: what physics costs a shop in two regions. Pages and purchases with the regions joined well and 100 ms apart.

A system of its own in two regions (`make up REGIONS=2`); the link between them is well and slow in turns, all in one run. How often a
page and a purchase cross from one region to the other is counted on their traces. Then a primary and a replica are that far apart
(local/bench/committing.py). Without root there are no regions, and only the second part is measured.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local.bench import committing
from local.browser import Browser
from local.buy import buy_many
from local.buyer import Buyer, Wish
from local.housing import DELAY_BETWEEN_REGIONS_MS, FAR, NEAR, REGIONS
from local.system import System
from local.temporary import temporary_system
from services.web.browsing.shop import PLACES_SECONDS
from tracing.assertions import wait_for_trace
from tracing.calls import Call, calls_in
from tracing.model import Trace
from tracing.reader import TraceReader

WELL, APART = "joined well", f"{2 * DELAY_BETWEEN_REGIONS_MS:g} ms apart"
WAYS = {WELL: 0.0, APART: DELAY_BETWEEN_REGIONS_MS}
PAGES_OF_A_TURN = 4
PURCHASES_OF_A_TURN = 2
CROWD, AT_ONCE = 20, 10
OLD, KEPT = "a page, its numbers too old", "the same page again"
TOGETHER = "a purchase, all steps"
WISH = Wish(places=1, prefer_general=True)
LAST_SPAN = ("notifications", "smtp send*")


@dataclass
class Samples:
    """Of one page or step in one way: milliseconds, and the traces of pages and of whole purchases."""

    ms: list[float] = field(default_factory=list)
    trace_ids: list[str] = field(default_factory=list)

    @property
    def quick(self) -> float:
        """Milliseconds of which a quarter was quicker: what others do on this machine makes some much slower."""
        return sorted(self.ms)[len(self.ms) // 4]


@dataclass
class Crossings:
    """Calls from one region to the other, by who asks whom: those that somebody waits for, and the others."""

    waited_for: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    traces: int = 0

    def add(self, trace: Trace) -> None:
        """Counts those of one trace."""
        self.traces += 1
        for call in calls_in(trace):
            if call.is_between_hosts:
                edge = f"{call.client.service} asks {call.client.attributes.get('peer.service')}"
                (self.waited_for if _is_waited_for(call, trace) else self.others)[edge] += 1

    def __str__(self) -> str:
        parts = [("while somebody waits", self.waited_for), ("while nobody waits", self.others)]
        return "; ".join(
            f"{sum(counts.values()) / self.traces:.1f} {when}{self._edges(counts)}" for when, counts in parts
        )

    def _edges(self, counts: Counter[str]) -> str:
        edges = ", ".join(f"{edge} {count / self.traces:.1f}" for edge, count in counts.most_common())
        return f" ({edges})" if edges else ""


def _is_waited_for(call: Call, trace: Trace) -> bool:
    """Whether a page waits for it: what comes of a fact or message, it does not."""
    return not any(span.kind in {"consumer", "producer"} for span in trace.ancestors_of(call.client))


class Bench:
    """One system, and what came of its turns."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._addresses = system.addresses
        self._opened_at = 0.0
        self.samples: dict[tuple[str, str], Samples] = {}
        self.rates: dict[str, float] = {}

    async def run(self, rounds: int) -> None:
        """All turns, after one of pages and purchases that counts for nothing."""
        urls = (await Buyer(self._addresses, WISH).find_events())[:PAGES_OF_A_TURN]
        await self._one_by_one(APART, urls)
        self.samples = {}
        for number in range(rounds):
            for way in reversed(WAYS) if number % 2 else WAYS:
                await self._one_by_one(way, urls)
        for way in WAYS:
            await self._crowd(way)

    async def _one_by_one(self, way: str, urls: list[str]) -> None:
        self._system.link(NEAR, FAR, delay_ms=WAYS[way])
        await asyncio.sleep(self._opened_at + PLACES_SECONDS + 0.1 - time.monotonic())
        for what in (OLD, KEPT):
            for url in urls:
                await self._open(url, self._of(what, way))
        self._opened_at = time.monotonic()
        for _ in range(PURCHASES_OF_A_TURN):
            await self._buy(way, urls)

    async def _crowd(self, way: str) -> None:
        self._system.link(NEAR, FAR, delay_ms=WAYS[way])
        purchases, seconds = await buy_many(self._addresses, WISH, CROWD, AT_ONCE)
        if failed := [each.failure for each in purchases if each.failure is not None]:
            raise RuntimeError(f"Not everybody could buy: {failed[0]}")
        self.rates[way] = CROWD / seconds

    async def _open(self, url: str, samples: Samples) -> None:
        """As somebody new does."""
        async with Browser() as browser:
            began = time.perf_counter()
            page = await browser.open(url)
            samples.ms.append((time.perf_counter() - began) * 1000)
        samples.trace_ids.append(page.meta["trace-id"])

    async def _buy(self, way: str, urls: list[str]) -> None:
        purchase = await Buyer(self._addresses, WISH).buy(urls)
        if purchase.failure is not None:
            raise RuntimeError(f"A purchase failed: {purchase.failure}")
        for step, ms, _ in purchase.steps:
            self._of(f"  {step}", way).ms.append(ms)
        whole = self._of(TOGETHER, way)
        whole.ms.append(purchase.total_ms)
        whole.trace_ids.append(purchase.trace_id)

    def _of(self, what: str, way: str) -> Samples:
        return self.samples.setdefault((what, way), Samples())

    async def crossings(self, what: str) -> Crossings:
        """Counted on the traces of the turns in which the regions were apart."""
        found = Crossings()
        with TraceReader(self._addresses["traces"]) as reader:
            for trace_id in self._of(what, APART).trace_ids:
                has = [LAST_SPAN] if what == TOGETHER else []
                found.add(await wait_for_trace(reader, trace_id, has, timeout_seconds=60))
        return found

    def told(self) -> Iterator[str]:
        """The table of times."""
        yield f"{'milliseconds, a quarter was quicker':36}{WELL:>14}{APART:>14}{'more':>10}{'ways there and back':>22}"
        for what in dict.fromkeys(what for what, _ in self.samples):
            well, apart = (self._of(what, way).quick for way in (WELL, APART))
            ways = (apart - well) / (2 * DELAY_BETWEEN_REGIONS_MS)
            yield f"{what:36}{well:14.0f}{apart:14.0f}{apart - well:10.0f}{ways:22.1f}"
        yield f"{f'purchases a second, {AT_ONCE} buyers':36}{self.rates[WELL]:14.1f}{self.rates[APART]:14.1f}"


def pages_and_purchases(rounds: int) -> str:
    """The first part, or why there is none."""
    with temporary_system(regions=REGIONS) as system:
        if system.hosts.no_network:
            return f"Pages and purchases were not measured. {system.hosts.no_network}"
        bench = Bench(system)

        async def measured() -> list[str]:
            await bench.run(rounds)
            counted = [f"{what.strip()}: {await bench.crossings(what)}" for what in (OLD, KEPT, TOGETHER)]
            return ["Ways from one region to the other, on traces:", *counted]

        counted = asyncio.run(measured())
        return "\n".join([*bench.told(), "", *counted])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench-regions", description="What physics costs in two regions.")
    parser.add_argument("--rounds", type=int, default=4, help="turns of each way (ROUNDS=4)")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long each writes (SECONDS=1.5)")
    given = parser.parse_args()
    print(pages_and_purchases(given.rounds), flush=True)
    print(f"\n{committing.told(asyncio.run(committing.measure(max(1, given.rounds // 2), given.seconds)))}\n")
    print(Path("/proc/loadavg").read_text().strip(), "(load average)")


if __name__ == "__main__":
    main()
