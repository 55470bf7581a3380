"""What a waiting room of many costs: `python -m local.bench.waiting [--people 100000]`.

One process of the service on a durable Postgres of its own, nobody else. People join, lots are drawn, steps let people in; in
between people ask how they stand. What proxies answer (now serving) is not in it.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from chassis.clock import utc_now
from chassis.db import Database
from chassis.migrations import migrate
from chassis.statements import text
from local.postgres import PostgresServer
from services.waitingroom import queries
from services.waitingroom.bank import Bank
from services.waitingroom.clients.inventory import Crowd
from services.waitingroom.passes import Passes
from services.waitingroom.service.proofs import Proofs
from services.waitingroom.service.queue import Queue
from services.waitingroom.service.sales import Announced, Sales
from services.waitingroom.service.steps import Steps
from services.waitingroom.settings import WaitingroomSettings

RATE, MOST_ACTIVE, STEPS, ASKED = 6000, 5000, 20, 2000


class Plenty:
    """An inventory that is quick, and has places for all."""

    async def crowd(self, _event_id: UUID) -> Crowd:
        """How it stands."""
        return Crowd(left=10**6, in_carts=0, wait_seconds=0.0)


class Nobody:
    """A bus to which nobody listens."""

    async def say(self, _message: Any) -> None:
        """Nothing."""


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    """Seconds that it took."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def measure(url: str, people: int) -> dict[str, str]:
    """Figures, in words, by what they are about."""
    settings: dict[str, Any] = dict.fromkeys(
        ("nats_url", "key_file", "service_keys_file", "person_keys_url", "inventory_url"), "http://127.0.0.1"
    )
    database = Database(WaitingroomSettings(environment="test", database_url=url, database_pool_size=4, **settings))
    inventory: Any = Plenty()
    bus: Any = Nobody()
    no_key: Any = None
    sales, queue = Sales(database), Queue(database, Passes(no_key), Proofs(database, None), 600, 200)
    step = Steps(database, inventory, Bank(), bus, 120)
    event_id, now = uuid4(), utc_now()
    await sales.announce(event_id, Announced(now - timedelta(minutes=1), now + timedelta(hours=1), RATE, MOST_ACTIVE))
    known = [uuid4() for _ in range(ASKED)]
    joining = time.process_time()
    for number, person in enumerate(known):
        await queue.join(event_id, person, f"{number:064x}")
    joined = time.process_time() - joining
    await _fill(database, event_id, people - ASKED)
    async with database.writer() as tx:
        await queries.change_sale(tx, event_id, {"starts_at": now})
    draw = await timed(step)
    steps = [await timed(step) for _ in range(STEPS)]
    asking = time.process_time()
    for person in known:
        await queue.standing(event_id, person)
    asked = time.process_time() - asking
    size = await _bytes(url)
    await database.close()
    return {
        f"lots are drawn for {people:,}": f"{draw:.2f} s, once",
        f"a step with {people:,} waiting": f"{1000 * statistics.median(steps):.1f} ms (most {1000 * max(steps):.1f})",
        "somebody joins": f"{1000 * joined / ASKED:.2f} ms of this process",
        "somebody asks how they stand": f"{1000 * asked / ASKED:.2f} ms of this process",
        "a person in the database, indexes counted": f"{size / people:.0f} bytes",
    }


async def _fill(database: Database, event_id: UUID, people: int) -> None:
    async with database.writer() as tx:
        await tx.execute(_CROWD, {"event_id": event_id, "people": people}, name="bench.fill")


async def _bytes(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT pg_total_relation_size('entry')"))
    finally:
        await connection.close()


_CROWD = text("""
    INSERT INTO entry (entry_id, event_id, person_id, address)
    SELECT gen_random_uuid(), :event_id, gen_random_uuid(), md5(CAST(n AS text)) || md5(CAST(n AS text))
    FROM generate_series(1, :people) AS n
""")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.waiting", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="how many wait (100000)")
    people = max(2 * ASKED, parser.parse_args().people)
    with PostgresServer() as server:
        asyncio.run(_create(server.url()))
        url = server.url("waiting")
        migrate(Path("services/waitingroom/migrations"), url)
        for what, figure in asyncio.run(measure(url, people)).items():
            print(f"{what:48}{figure}")


async def _create(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE waiting")
    await connection.close()


if __name__ == "__main__":
    main()
