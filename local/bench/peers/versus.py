"""`make bench-pretix`: this commit of Onsale and pretix sell the same in turns, on this machine.

One system runs at a time (A B B A ...). A row is the median of the turns, with the least and the most; a ratio is that of the
medians, Onsale's by pretix'. Processor times are divided by those of a reference loop that ran beside for the ratio, since a
machine's speed drifts. Onsale is cloned and built in a folder of its own, pretix is installed from its package.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from local.bench.compare import START_ROW, Row, report
from local.bench.contest import APART, Contestant, ContestFailed, Reference, came_of, crowd
from local.bench.peers.pretix import Pretix, Sale
from local.bench.reading import machine_cpu_seconds
from local.topology import ROOT

PORT = 9300
WARMING_WIDE = 8
PAGES_WARM_SECONDS = 2.0
PAGES_WIDE = 16
KINDS = ("free", "paid")
# What is shown, and where a seller shows it.
PAGES = {"event page": "event_url", "list of events": "list_url"}


def _rows_of(kind: str) -> tuple[Row, ...]:
    beside = f"reference beside {kind}, us"
    return (
        Row(f"{kind} purchases a second, tickets on the page", more_is_better=True),
        Row(f"{kind} purchases a second, until the last mail", more_is_better=True),
        Row(f"CPU of a {kind} purchase, ms", beside),
        Row(f"{kind}, with what is simulated and watches, ms", beside),
        Row(f"{kind}, longest way of a mail, s"),
        Row(beside),
        Row(f"{kind}, cores that others kept busy"),
    )


ROWS = (
    *(row for kind in KINDS for row in _rows_of(kind)),
    *(Row(f"{name} a second", more_is_better=True) for name in PAGES),
    *(Row(f"CPU of the {name}, ms", f"reference beside {name}, us") for name in PAGES),
    *(Row(f"reference beside {name}, us") for name in PAGES),
    Row(START_ROW),
)


class Onsale(Contestant):
    """This checkout's commit, as `make bench` builds it."""

    apart = APART

    @property
    def event_url(self) -> str:
        """The page of the event that it sells."""
        return f"{self.list_url}events/{self.event_id()}"

    @property
    def list_url(self) -> str:
        """The page of all events."""
        return f"{self.reading.told['addresses']['web']}/"

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time until now, by name; each with all that it has started."""
        return self.reading.cpu_seconds()

    async def sell(self, count: int, wide: int, reference: Reference | None, *, free: bool) -> Sale:
        """To a crowd, until the last mail is out. Raises ContestFailed unless all have all."""
        came, _ = await crowd(self, self.event_id(), count, wide, *(["--free"] if free else []), reference=reference)
        return came, self.reading.mails()

    async def check(self, sale: Sale) -> None:
        """Nothing is left to check: its crowd has seen each code, and the books of what was paid were compared."""


Seller = Onsale | Pretix


def main() -> int:
    """The command line. The exit code is 1 if something could not be measured."""
    given = _arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    sellers: list[Seller] = []
    try:
        print("Building both; the first time it takes some minutes ...", flush=True)
        pretix, onsale = Pretix.below(given.folder), Onsale.of_commit(given.commit, given.folder, PORT)
        sellers += [pretix, onsale]
        pretix.install()
        onsale.start()
        onsale.load()
        onsale.stop()
        for number in range(given.rounds):
            for seller in sellers[:: -1 if number % 2 else 1]:
                print(f"Round {number + 1} of {given.rounds}: {seller.name} ...", flush=True)
                seller.note(START_ROW, seller.start())
                asyncio.run(turn(seller, given.purchases, given.wide, given.seconds))
                seller.stop()
    except ContestFailed as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for seller in sellers:
            seller.stop()
    print(report(pretix, onsale, ROWS))
    return 0


async def turn(seller: Seller, purchases: int, wide: int, seconds: float) -> None:
    """Measures a running system. Raises ContestFailed if a purchase or a page failed."""
    for free in (False, True):
        await seller.sell(max(1, purchases // 4), WARMING_WIDE, None, free=free)
    for kind in KINDS:
        await _sale(seller, kind, purchases, wide)
    for page in PAGES:
        await _pages(seller, page, seconds)


async def _sale(seller: Seller, kind: str, purchases: int, wide: int) -> None:
    before, reference = seller.cpu_seconds(), Reference()
    began, busy = time.perf_counter(), machine_cpu_seconds() - time.process_time()
    came, mails = await seller.sell(purchases, wide, reference, free=kind == "free")
    busy = machine_cpu_seconds() - time.process_time() - busy
    elapsed = time.perf_counter() - began
    spent = {name: seconds - before.get(name, 0.0) for name, seconds in seller.cpu_seconds().items()}
    on_page, last_mail, longest = times(came, mails)
    seller.note(f"{kind} purchases a second, tickets on the page", purchases / on_page)
    seller.note(f"{kind} purchases a second, until the last mail", purchases / last_mail)
    seller.note(f"{kind}, longest way of a mail, s", longest)
    of_sale = {name: seconds for name, seconds in spent.items() if name not in seller.apart}
    seller.note(f"CPU of a {kind} purchase, ms", 1000 * sum(of_sale.values()) / purchases)
    seller.note(f"{kind}, with what is simulated and watches, ms", 1000 * sum(spent.values()) / purchases)
    for name, seconds in spent.items():
        seller.note(f"{kind}: {name}", 1000 * seconds / purchases)
    seller.note(f"reference beside {kind}, us", reference.microseconds)
    others = busy - sum(spent.values()) - came["cpu_seconds"]
    seller.note(f"{kind}, cores that others kept busy", max(0.0, others / elapsed))
    await seller.check((came, mails))


async def _pages(seller: Seller, page: str, seconds: float) -> None:
    url = str(getattr(seller, PAGES[page]))
    loader = ("local.bench.peers.pages", url, "--wide", str(PAGES_WIDE), "--has", "The Bench", "--seconds")
    await came_of(*loader, str(PAGES_WARM_SECONDS))
    before, reference = seller.cpu_seconds(), Reference()
    shown = await came_of(*loader, str(seconds), reference=reference)
    spent = sum(now - before.get(name, 0.0) for name, now in seller.cpu_seconds().items() if name not in seller.apart)
    if not shown.get("pages") or shown["failures"]:
        raise ContestFailed(f"{seller.name} does not show the {page} as it should: {shown}")
    seller.note(f"{page} a second", shown["pages"] / shown["seconds"])
    seller.note(f"CPU of the {page}, ms", 1000 * spent / shown["pages"])
    seller.note(f"reference beside {page}, us", reference.microseconds)


def times(came: dict[str, Any], mails: dict[str, float]) -> tuple[float, float, float]:
    """Seconds from the first purchase until all tickets were on pages, until the last mail, and the longest from the one to the other.

    A mail that came before its page counts as no way at all.
    """
    done_at: dict[str, float] = came["done_at"]
    began = max(done_at.values()) - came["seconds"]
    last_mail = max(mails[email] for email in done_at)
    return came["seconds"], last_mail - began, max(0.0, *(mails[email] - done for email, done in done_at.items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-pretix", description=__doc__)
    parser.add_argument("--commit", default="HEAD", help="of Onsale (HEAD)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".bench", help="where both are built (.bench)")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each (2)")
    parser.add_argument("--purchases", type=int, default=100, help="free ones and paid ones in each turn (100)")
    parser.add_argument("--wide", type=int, default=16, help="buyers at once (16)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long pages are loaded (10)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
