"""An effect that is one statement is written in one round trip with the row of the inbox: once, however often its fact comes."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from chassis import inbox as inboxes
from chassis.db import Transaction
from chassis.inbox import HEARD, MAX_DELIVERIES, Inbox, Received
from chassis.service import Service
from chassis.statements import text
from chassis.testing import Harness, RunningApp
from chassis.tests.sample.app import SampleError, SampleSettings, ThingWanted
from tracing.testing import Kept

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
WANTED = "events.other.thing_wanted.v1"
MAKE = text(f"""
    WITH heard AS ({HEARD}), made AS (
        INSERT INTO thing (thing_id, name) SELECT CAST(:thing_id AS uuid), CAST(:name AS text) FROM heard
    )
    SELECT event_id FROM heard
""")  # noqa: S608  # a constant of the chassis


def create(settings: SampleSettings) -> FastAPI:
    service = Service(settings, title="Sample", errors=SampleError)
    service.database()
    inbox = Inbox("sample")

    @inbox.hears_at_once(WANTED, ThingWanted)
    async def make(tx: Transaction, fact: ThingWanted, received: Received) -> bool:
        parameters = received.row() | {"thing_id": uuid4(), "name": None if fact.name == "nothing" else fact.name}
        return (await tx.execute(MAKE, parameters, name="sample.make")).rowcount == 1

    service.hear(inbox)
    return service.build()


@pytest.fixture
def settings(harness: Harness) -> SampleSettings:
    return harness.settings(SampleSettings, migrations=MIGRATIONS)


async def rows(app: RunningApp, query: str) -> list[Any]:
    async with app.app.state.service._databases[0].reader() as reads:
        return list(await reads.execute(text(query), name="test"))


async def test_a_fact_that_comes_twice_takes_effect_once_in_one_statement(
    harness: Harness, settings: SampleSettings, kept_spans: Kept
) -> None:
    async with harness.running(create, settings) as app:
        event_id = await harness.tell(WANTED, {"name": "lamp"})
        await harness.eventually(lambda: rows(app, "SELECT 1 FROM inbox"))
        await harness.tell(WANTED, {"name": "lamp"}, event_id=event_id)
        await harness.eventually(lambda: len(kept_spans.named(f"process {WANTED}")) == 2)
        assert [row["name"] for row in await rows(app, "SELECT name FROM thing")] == ["lamp"]
        [row] = await rows(app, "SELECT consumer, subject, delivery, traceparent FROM inbox")
        assert (row["consumer"], row["subject"], row["delivery"]) == ("sample", WANTED, 1)
        first, second = kept_spans.named(f"process {WANTED}")
        assert "onsale.duplicate" not in first.attributes
        assert second.attributes["onsale.duplicate"] is True
        assert kept_spans.named("inbox.insert") == []


async def test_a_fact_whose_effect_the_database_refuses_leaves_no_row_in_the_inbox(
    harness: Harness, settings: SampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "DELAYS_SECONDS", (0.01,) * (MAX_DELIVERIES - 1))
    async with harness.running(create, settings) as app:
        await harness.tell(WANTED, {"name": "nothing"})
        [letter] = await harness.eventually(lambda: rows(app, "SELECT deliveries FROM dead_letter"))
        assert letter["deliveries"] == MAX_DELIVERIES
        assert await rows(app, "SELECT 1 FROM inbox") == []
