"""Whether tables that are changed all the time stay as large as what is in them: `python -m local.bench.soak [--minutes 5]`.

A whole system on a durable Postgres with its own autovacuum. So many at once hold places of one event (some of general admission, some
of a house of 2,000 seats) and give them back, again and again: what is sold in the end is nothing, so no table of places has a reason
to grow. Seats, classes and sales have as many rows as before: their size is the bloat. A hold is kept after its end, so of holds and
their changes the bytes for each row are what must not grow. Printed are sizes over time, how many updates found room beside their row
(HOT: no index is touched), and dead rows.
"""

import argparse
import asyncio
import itertools
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import httpx

from chassis.ids import uuid7
from chassis.tokens import ServiceTokens, load_signing_key
from local.system import System
from local.temporary import temporary_system
from local.topology import database_of

WIDE, SAMPLES = 8, 10
# As many rows as before, whatever is sold; and those that grow with each hold.
STILL, GROWING = ("ticket_class", "seat", "event"), ("hold", "hold_change")
_STATE = """
    SELECT relname, pg_total_relation_size(relid) AS bytes, n_live_tup AS rows, n_dead_tup AS dead, n_tup_upd AS updates,
        n_tup_hot_upd AS hot, autovacuum_count AS vacuums
    FROM pg_stat_user_tables WHERE relname = ANY($1)
"""
_CLASS = re.compile(r'name="quantity-([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Sample:
    """How the tables stood after so many holds."""

    holds: int
    tables: dict[str, Any]


class Churn:
    """People who hold and give back."""

    def __init__(self, system: System) -> None:
        self._tokens = ServiceTokens("orders", load_signing_key(system.layout.keys / "orders.pem"))
        self._url = system.addresses["inventory"]
        self.holds = 0
        self._places = _places_of(system)

    async def run(self, seconds: float) -> None:
        """Until the time is over."""
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession(self._url) as session:
            await asyncio.gather(*(self._one(session, until, number) for number in range(WIDE)))

    async def _one(self, session: aiohttp.ClientSession, until: float, number: int) -> None:
        chosen = itertools.cycle(self._places)
        for _ in range(number):
            next(chosen)
        while time.monotonic() < until:
            event_id, wish = next(chosen)
            path, headers = f"/events/{event_id}/holds/{uuid7()}", self._headers()
            body = {"order_id": str(uuid4()), "ttl_seconds": 600, "places": [], "seats": []} | wish
            async with session.put(path, json=body, headers=headers) as answer:
                held = answer.status == httpx.codes.CREATED
            if held:
                async with session.post(f"{path}/release", headers=headers) as answer:
                    answer.raise_for_status()
                self.holds += 1

    def _headers(self) -> dict[str, str]:
        return {"Authorization": "Bearer " + self._tokens.to("inventory")}


def _places_of(system: System) -> list[tuple[str, dict[str, Any]]]:
    """What is wished in turns: a place of each class of general admission, and seats two by two."""
    shop = system.addresses["web"]
    found: list[tuple[str, dict[str, Any]]] = []
    for event_id in dict.fromkeys(re.findall(r'href="/events/([0-9a-f-]{36})"', httpx.get(shop).text)):
        page = httpx.get(f"{shop}/events/{event_id}").text
        found += [
            (event_id, {"places": [{"class_id": each, "quantity": 1}]}) for each in dict.fromkeys(_CLASS.findall(page))
        ]
        seats = list(dict.fromkeys(re.findall(r'name="seat"[^>]*value="([^"]+)"', page)))
        found += [(event_id, {"seats": list(pair)}) for pair in zip(seats[::2], seats[1::2], strict=False)]
    return found


async def sample(system: System, holds: int) -> Sample:
    """How large they are now."""
    connection = await asyncpg.connect(system.postgres.url(database_of("inventory")))
    try:
        rows = await connection.fetch(_STATE, [*STILL, *GROWING])
        counted = {each: await connection.fetchval(f"SELECT count(*) FROM {each}") for each in GROWING}  # noqa: S608  # constants
        return Sample(
            holds, {row["relname"]: dict(row) | {"rows": counted.get(row["relname"], row["rows"])} for row in rows}
        )
    finally:
        await connection.close()


async def soak(system: System, minutes: float) -> list[Sample]:
    """Samples over time, the first before anything was held."""
    churn = Churn(system)
    samples = [await sample(system, 0)]
    for _ in range(SAMPLES):
        await churn.run(60 * minutes / SAMPLES)
        samples.append(await sample(system, churn.holds))
        print(f"{churn.holds} holds", flush=True)
    return samples


def table(samples: list[Sample]) -> str:
    """A line for each table."""
    at = [samples[number] for number in (0, 1, len(samples) // 2, -1)]
    lines = [
        f"{'table':<14}"
        + "".join(f"{f'{each.holds} holds':>18}" for each in at)
        + f"{'HOT':>8}{'dead':>8}{'vacuums':>9}"
    ]
    for name in (*STILL, *GROWING):
        states = [each.tables[name] for each in at]
        said = [
            f"{each['bytes'] / 1024:.0f} KiB"
            if name in STILL
            else f"{each['bytes'] / max(1, each['rows']):.0f} B a row"
            for each in states
        ]
        last = states[-1]
        hot = f"{last['hot'] / last['updates']:.0%}" if last["updates"] else "-"
        lines.append(
            f"{name:<14}" + "".join(f"{each:>18}" for each in said) + f"{hot:>8}{last['dead']:>8}{last['vacuums']:>9}"
        )
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (5)")
    given = parser.parse_args()
    with temporary_system(durable=True) as system:
        print(table(asyncio.run(soak(system, given.minutes))))


if __name__ == "__main__":
    main()
