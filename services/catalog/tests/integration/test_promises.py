"""What was published is kept by the database itself, whatever the code does."""

from pathlib import Path

import pytest

from chassis.testing import Harness
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import plan, seated_event
from services.catalog.tests.integration.test_importing import load_documents


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE seat_map SET width = 1", "a version of a seat map never changes"),
        ("UPDATE seat_map SET digest = 'x'", "a version of a seat map never changes"),
        ("UPDATE seat SET label = 'elsewhere'", "a version of a seat map never changes"),
        ("UPDATE seat SET category = 'cheap'", "a version of a seat map never changes"),
        ("DELETE FROM seat", "a version of a seat map never changes"),
        ("DELETE FROM ticket_class", "it may have been sold"),
        ("UPDATE ticket_class SET kind = 'general'", "it may have been sold"),
        ("UPDATE event SET version = version - 1", "only grow"),
        ("UPDATE event SET code_edition = code_edition - 1", "only grow"),
    ],
)
async def test_what_was_published_stays(harness: Harness, tmp_path: Path, change: str, says: str) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, plan(), seated_event())
    assert says in await harness.refused(settings.database_url.get_secret_value(), change)


async def test_a_seat_map_is_not_deleted(harness: Harness) -> None:
    drawn = "INSERT INTO seat_map SELECT gen_random_uuid(), 'House', 1, 9, 9, sha256('a'), '{}'"
    said = await harness.refused(harness.database_url("catalog"), drawn, "DELETE FROM seat_map")
    assert "a version of a seat map never changes" in said
