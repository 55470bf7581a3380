"""Two versions of a service side by side share one consumer: what the older one does not know is left to the newer one, never lost."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from chassis import inbox as inboxes
from chassis.db import Transaction
from chassis.inbox import MAX_DELIVERIES, Received
from chassis.service import Service
from chassis.stream import ensure_consumer
from chassis.testing import Harness, RunningApp
from chassis.tests.sample.app import SampleError, SampleSettings, ThingWanted, create_app, make_inbox, make_thing
from tracing.testing import Kept

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
WANTED = "events.other.thing_wanted.v1"
MADE = "events.sample.thing_made.v1"
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "production.md"
NEEDED = "events.other.thing_needed.v1"


@pytest.fixture
def settings(harness: Harness) -> SampleSettings:
    return harness.settings(SampleSettings, migrations=MIGRATIONS)


def create_newer(settings: SampleSettings) -> FastAPI:
    """The version after the sample's: it hears one fact more."""
    service = Service(settings, title="Sample", errors=SampleError)
    service.database()
    inbox = make_inbox()

    @inbox.hears(NEEDED, ThingWanted)
    async def on_needed(tx: Transaction, fact: ThingWanted, _received: Received) -> None:
        await make_thing(tx, fact.name)

    service.hear(inbox)
    return service.build()


async def widen(harness: Harness) -> None:
    """The consumer as the newer version has it made; the older one goes on taking from it."""
    await ensure_consumer(harness._client(), "sample", [WANTED, NEEDED])


async def rows(app: RunningApp, query: str) -> list[Any]:
    async with app.app.state.service._databases[0].reader() as reads:
        return list((await reads.execute(text(query), name="test")).mappings().all())


async def names(app: RunningApp) -> list[str]:
    return [row["name"] for row in await rows(app, "SELECT name FROM thing ORDER BY name")]


async def test_a_fact_that_the_older_version_took_takes_effect_in_the_newer_one(
    harness: Harness, settings: SampleSettings, kept_spans: Kept
) -> None:
    async with harness.running(create_app, settings):
        await widen(harness)
        await harness.tell(NEEDED, {"name": "lamp"})
        await harness.eventually(lambda: kept_spans.named(f"process {NEEDED}"))
    async with harness.running(create_newer, settings) as newer:
        await harness.eventually(lambda: rows(newer, "SELECT 1 FROM inbox"))
        assert await names(newer) == ["lamp"]
        assert await rows(newer, "SELECT 1 FROM dead_letter") == []


async def test_a_fact_that_no_version_knows_stands_as_a_dead_letter_that_says_what_to_do(
    harness: Harness, settings: SampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "DELAYS_SECONDS", (0.01,) * (MAX_DELIVERIES - 1))
    async with harness.running(create_app, settings) as app:
        await widen(harness)
        await harness.tell(NEEDED, {"name": "lamp"})
        await harness.tell(WANTED, {"name": "chair"})
        [letter] = await harness.eventually(lambda: rows(app, "SELECT * FROM dead_letter"))
        assert (letter["subject"], letter["deliveries"]) == (NEEDED, MAX_DELIVERIES)
        assert letter["reason"] == (
            f"This version of sample does not know {NEEDED}, in {MAX_DELIVERIES} deliveries. Roll out the version that hears it, "
            "then let the fact be sent again (docs/guides/production.md, Facts that are sent again)."
        )
        await harness.eventually(lambda: has(app, "chair"))


async def test_a_dead_letter_is_sent_again_as_the_guide_says_and_takes_effect_in_the_newer_version(
    harness: Harness, settings: SampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "DELAYS_SECONDS", (0.01,) * (MAX_DELIVERIES - 1))
    send_again, tidy = statements_of_the_guide()
    async with harness.running(create_app, settings) as app:
        await ensure_consumer(harness._client(), "sample", [WANTED, MADE])
        await harness.tell(WANTED, {"name": "lamp"})
        await harness.eventually(lambda: rows(app, "SELECT 1 FROM dead_letter"))
    async with harness.running(create_that_hears_itself, settings) as newer:
        await do(newer, send_again.replace("events.tickets.tickets_changed.v1", MADE).replace("2026-12", "2025-12"))
        await harness.eventually(lambda: rows(newer, "SELECT 1 FROM inbox WHERE subject LIKE '%thing_made%'"))
        await do(newer, tidy)
        assert await rows(newer, "SELECT 1 FROM dead_letter") == []


def statements_of_the_guide() -> list[str]:
    section = GUIDE.read_text().partition("### Facts that are sent again")[2]
    block = section.partition("```sql\n")[2].partition("```")[0]
    return [statement for statement in block.split(";") if statement.strip()]


def create_that_hears_itself(settings: SampleSettings) -> FastAPI:
    """A version that hears what the service tells."""
    service = Service(settings, title="Sample", errors=SampleError)
    service.database()
    inbox = make_inbox()

    @inbox.hears(MADE, ThingWanted)
    async def on_made(_tx: Transaction, _fact: ThingWanted, _received: Received) -> None:
        """That it was heard is in the inbox."""

    service.hear(inbox)
    return service.build()


async def do(app: RunningApp, statement: str) -> None:
    async with app.app.state.service._databases[0].writer() as tx:
        await tx.execute(text(statement), name="test")


async def test_many_facts_that_wait_for_another_version_do_not_hold_up_those_that_are_known(
    harness: Harness, settings: SampleSettings
) -> None:
    async with harness.running(create_app, settings) as app:
        await widen(harness)
        for number in range(300):
            await harness.tell(NEEDED, {"name": f"lamp {number}"})
        await harness.tell(WANTED, {"name": "chair"})
        await harness.eventually(lambda: has(app, "chair"))


async def has(app: RunningApp, name: str) -> bool:
    return name in await names(app)
