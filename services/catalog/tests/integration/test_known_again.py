"""An event is known again by its number, or by its page and its start: evenings of one page are not one."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.testing import Harness
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import event
from services.catalog.tests.integration.test_importing import load_documents

PAGE = "https://theatre.example/lamp"
FIRST, SECOND, MOVED = (f"2031-06-{day}T20:00:00+02:00" for day in (20, 21, 27))


@pytest.fixture
def settings(harness: Harness) -> CatalogSettings:
    return harness.settings(CatalogSettings)


def evening(start: str, **changes: Any) -> dict[str, Any]:
    return event(identifier=None, url=PAGE, startDate=start, **changes)


async def starts(settings: CatalogSettings) -> dict[str, str]:
    """Every event by its id, with its start."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        rows = await connection.fetch("SELECT event_id::text, starts_at FROM event ORDER BY starts_at")
        return {row["event_id"]: row["starts_at"].isoformat() for row in rows}
    finally:
        await connection.close()


async def test_evenings_of_one_page_are_events_of_their_own(settings: CatalogSettings, tmp_path: Path) -> None:
    await load_documents(settings, tmp_path, [evening(FIRST)])
    (first,) = await starts(settings)
    await load_documents(settings, tmp_path, [evening(FIRST), evening(SECOND)])
    assert list((await starts(settings)).values()) == ["2031-06-20T18:00:00+00:00", "2031-06-21T18:00:00+00:00"]
    assert first in await starts(settings)


async def test_an_evening_that_moves_says_when_it_was_and_stays_the_same(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, [evening(FIRST), evening(SECOND)])
    first, second = await starts(settings)
    moved = evening(MOVED, previousStartDate=FIRST, eventStatus="EventRescheduled")
    await load_documents(settings, tmp_path, [moved, evening(SECOND)])
    # The page does not show its old date for ever.
    await load_documents(settings, tmp_path, [evening(MOVED), evening(SECOND)])
    assert await starts(settings) == {second: "2031-06-21T18:00:00+00:00", first: "2031-06-27T18:00:00+00:00"}


async def test_an_event_that_was_known_by_its_page_alone_is_known_again(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event(identifier=PAGE))
    await load_documents(settings, tmp_path, evening(FIRST, name="The Lamp"))
    assert len(await starts(settings)) == 1
