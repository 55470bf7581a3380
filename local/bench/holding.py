"""What a hold of two seats costs, and its sale: `python -m local.bench.holding [CHECKOUT ...]`.

Each checkout (this one, and others such as one of a release before, each with its own `.venv`) holds in a process and a database
of its own on one durable Postgres, in turns, so that what else the machine does falls on all of them.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path

import asyncpg

from local.postgres import PostgresServer

ROOT = Path(__file__).resolve().parent.parent.parent
COLUMNS = {"crowd": "holds/s of a crowd", "cpu": "CPU ms of a hold", "alone": "ms alone", "sale": "CPU ms of a sale"}
_SECONDS = 300
# Runs in any version that has `Granting`. A crowd is 64 who each wait for their answer; then somebody comes alone, and buys.
_HOLDS = """
import asyncio, json, statistics, sys, time
from pathlib import Path
from uuid import uuid4
from sqlalchemy import text
from chassis.db import Database
from chassis.ids import uuid7
from chassis.migrations import migrate
from services.inventory import domain
from services.inventory.granting import Granting
from services.inventory.service import Inventory
from services.inventory.settings import InventorySettings
from services.inventory.shards import Shards
url, crowd, alone = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
Wish = getattr(domain, "Wish", None) or domain.Want
event_id, class_id, seats = uuid4(), uuid4(), iter(range(10**6))
class Nobody:
    async def say(self, message): pass
def wish():
    return Wish(uuid7(), uuid4(), (), (f"s{next(seats)}", f"s{next(seats)}"), 600)
async def fill(database):
    async with database.writer() as tx:
        about = {"event": event_id, "class": class_id, "seats": 2 * (crowd + alone)}
        for statement in (
            "INSERT INTO event (event_id, title, starts_at) VALUES (:event, '', now())",
            "INSERT INTO ticket_class (class_id, event_id, name, kind, capacity) VALUES (:class, :event, '', 'seated', 0)",
            "INSERT INTO seat (event_id, seat_id, class_id, label) SELECT :event, 's' || n, :class, '' "
            "FROM generate_series(0, :seats) AS n",
        ):
            await tx.execute(text(statement), {k: v for k, v in about.items() if ":" + k in statement}, name="fill")
async def cpu(database):
    # Of this process and of those of Postgres that serve it, in seconds: what else the machine does counts little.
    query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    async with database.reader() as reads:
        pids = [row[0] for row in await reads.execute(query, name="pids")]
    ran = [Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in pids]
    return time.process_time() + sum(map(int, ran)) / 1e9
async def timed(work):
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000
async def run():
    elsewhere = dict.fromkeys(("nats_url", "key_file", "service_keys_file", "person_keys_url"), "http://127.0.0.1")
    database = Database(InventorySettings(environment="test", database_url=url, database_pool_size=4, **elsewhere))
    inventory = Inventory(Shards([database]), Nobody())
    granting = Granting(inventory)
    await fill(database)
    left, batches = iter(range(crowd)), []
    placing = inventory.place_holds
    async def place(event_id, wishes):
        batches.append(len(wishes))
        return await placing(event_id, wishes)
    async def buyer():
        for _ in left:
            await granting.grant(event_id, wish())
    inventory.place_holds = place
    before = await cpu(database)
    seconds = await timed(asyncio.wait_for(asyncio.gather(*(buyer() for _ in range(64))), 200)) / 1000
    crowded = await cpu(database)
    wishes = [wish() for _ in range(alone)]
    held = [await timed(granting.grant(event_id, each)) for each in wishes]
    selling = await cpu(database)
    for each in wishes:
        await inventory.commit_hold(event_id, each.hold_id)
    sold = await cpu(database)
    await database.close()
    assert statistics.mean(batches[:-alone]) > 32, "Holds of a crowd are not granted together any more."
    print(json.dumps({"crowd": crowd / seconds, "cpu": 1000 * (crowded - before) / crowd,
                      "alone": statistics.median(held), "sale": 1000 * (sold - selling) / alone}))
migrate(Path("services/inventory/migrations"), url)
asyncio.run(run())
"""


def measured(checkout: Path, url: str, crowd: int, alone: int) -> dict[str, float]:
    """Holds a second of a crowd, the processor time of one of them, the median milliseconds of one alone, the time of its sale."""
    command = [str(checkout / ".venv/bin/python"), "-c", _HOLDS, url, str(crowd), str(alone)]
    said = subprocess.run(command, cwd=checkout, stdout=subprocess.PIPE, text=True, timeout=_SECONDS, check=True)
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.holding", description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT", help="others to compare with")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (5)")
    parser.add_argument("--crowd", type=int, default=8000, help="holds of the crowd in a turn (8000)")
    parser.add_argument("--alone", type=int, default=300, help="holds and sales of one alone in a turn (300)")
    given = parser.parse_args(arguments)
    checkouts = [each.resolve() for each in [*given.checkouts, ROOT]]
    found: dict[Path, list[dict[str, float]]] = {checkout: [] for checkout in checkouts}
    with PostgresServer() as server:
        for turn in range(given.rounds):
            # The checkouts take turns in going first, since each turn finds a server with more to tidy.
            for number, checkout in enumerate(checkouts[:: -1 if turn % 2 else 1]):
                name = f"holds_{turn}_{number}"
                asyncio.run(_create(server.url(), name))
                found[checkout].append(measured(checkout, server.url(name), given.crowd, given.alone))
    print("".join(f"{title:>26}" for title in ("", *COLUMNS.values())) + "   (median, least to most)")
    for checkout, turns in found.items():
        print(f"{checkout.name[-26:]:>26}" + "".join(f"{_spread(turns, column):>26}" for column in COLUMNS))


async def _create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()


def _spread(turns: list[dict[str, float]], column: str) -> str:
    values = sorted(turn[column] for turn in turns)
    return f"{statistics.median(values):.4g} ({values[0]:.4g}-{values[-1]:.4g})"


if __name__ == "__main__":
    main(sys.argv[1:])
