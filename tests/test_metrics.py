"""What services say waits: each question is answered from an index, and by the tables as they are."""

import importlib
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis.db import Database
from chassis.settings import ServiceSettings
from chassis.testing import Harness
from chassis.watching import LETTERS, OUTBOX, Watch

SERVICES = Path(__file__).resolve().parent.parent / "services"


def watches_of(service: str) -> list[Watch]:
    module = importlib.import_module(f"services.{service}.watches")
    return [each for each in vars(module).values() if isinstance(each, Watch)]


WATCHES = [
    *(("orders", each) for each in (OUTBOX, LETTERS)),
    *(
        (path.parent.name, each)
        for path in sorted(SERVICES.glob("*/watches.py"))
        for each in watches_of(path.parent.name)
    ),
]


@pytest.mark.parametrize(("service", "watch"), WATCHES, ids=[f"{service}-{watch.name}" for service, watch in WATCHES])
async def test_what_waits_is_asked_for_without_reading_a_table(harness: Harness, service: str, watch: Watch) -> None:
    class Settings(ServiceSettings):
        service_name = service

    database = Database(harness.settings(Settings))
    try:
        rows = await database.look(watch.statement, name=watch.name)
        assert all({*watch.shows, *watch.labels} <= {*row} for row in rows)
        async with database.reader() as reads:
            # A table without rows would be read as a whole, or sorted, whatever indexes there are.
            for way in ("seqscan", "bitmapscan", "sort"):
                await reads.execute(text(f"SET enable_{way} = off"), name="test")
            plan = "\n".join(line for (line,) in await reads.execute(text(f"EXPLAIN {watch.statement}"), name="test"))
        # Dead letters are few, and each is one too many.
        assert watch is LETTERS or ("Seq Scan" not in plan and "Sort" not in plan), plan
    finally:
        await database.close()
