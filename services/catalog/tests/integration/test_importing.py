"""Imports on a real database, and the facts that leave through a real firehose."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.db import Database
from chassis.testing import Harness
from services.catalog.app import create_app
from services.catalog.domain import EventDraft, ImportRefused, SeatingPlan
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.load import load
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, event, plan, seated_event

EVENT_PUBLISHED = "events.catalog.event_published.v1"
SEATS_PUBLISHED = "events.catalog.seats_published.v1"
COUNTS = """
    SELECT (SELECT count(*) FROM venue) AS venue, (SELECT count(*) FROM seat_map) AS seat_map,
        (SELECT count(*) FROM seat) AS seat, (SELECT count(*) FROM event) AS event,
        (SELECT count(*) FROM ticket_class) AS ticket_class, (SELECT count(*) FROM outbox) AS outbox
"""


async def load_documents(settings: CatalogSettings, folder: Path, *documents: object) -> int:
    """Loads documents as files of one command; the exit code."""
    files = [folder / f"{number}.json" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_bytes(document if isinstance(document, bytes) else as_file(document))
    return await load(settings, files, sample=False, if_empty=False)


async def counts(settings: CatalogSettings) -> dict[str, int]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return dict(await connection.fetchrow(COUNTS) or {})
    finally:
        await connection.close()


async def test_an_event_refers_to_the_plan_loaded_in_the_same_command_in_any_order(
    harness: Harness, tmp_path: Path
) -> None:
    settings = harness.settings(CatalogSettings)
    assert await load_documents(settings, tmp_path, seated_event(), plan()) == 0
    assert await counts(settings) == {"venue": 1, "seat_map": 1, "seat": 4, "event": 1, "ticket_class": 2, "outbox": 2}


async def test_an_import_publishes_the_event_and_then_its_seats(harness: Harness, tmp_path: Path) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, plan(), seated_event())
    async with harness.running(create_app, settings):
        published = (await harness.heard(EVENT_PUBLISHED))["data"]
        seats = (await harness.heard(SEATS_PUBLISHED))["data"]
    by_name = {cls["name"]: cls for cls in published["classes"]}
    assert (published["title"], published["on_sale"], published["max_per_order"]) == ("A Play", True, 10)
    assert published["starts_at"] == "2031-06-20T18:00:00Z"
    assert {name: (cls["kind"], cls["capacity"]) for name, cls in by_name.items()} == {
        "Stalls": ("seated", 2),
        "Circle": ("seated", 2),
    }
    assert (seats["event_id"], seats["part"], seats["parts"]) == (published["event_id"], 1, 1)
    assert [(seat["seat_id"], seat["class_id"]) for seat in seats["seats"]] == [
        ("A1", by_name["Stalls"]["class_id"]),
        ("A2", by_name["Stalls"]["class_id"]),
        ("B1", by_name["Circle"]["class_id"]),
        ("B2", by_name["Circle"]["class_id"]),
    ]


async def test_seats_are_published_in_parts_of_at_most_a_thousand(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    assert await load(settings, [], sample=True, if_empty=True) == 0
    async with harness.running(create_app, settings):
        parts = [(await harness.heard(SEATS_PUBLISHED))["data"] for _ in range(3)]
    hall = [part for part in parts if part["parts"] == 2]
    assert sorted((part["part"], len(part["seats"])) for part in hall) == [(1, 1_000), (2, 1_000)]


async def test_the_same_file_again_changes_and_publishes_nothing(harness: Harness, tmp_path: Path) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, plan(), seated_event())
    before = await counts(settings)
    assert await load_documents(settings, tmp_path, [seated_event()], plan()) == 0
    assert await counts(settings) == before


async def test_a_changed_event_is_published_again(harness: Harness, tmp_path: Path) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, event())
    await load_documents(settings, tmp_path, event(name="A Larger Concert", **{"onsale:onSale": False}))
    async with harness.running(create_app, settings):
        first = (await harness.heard(EVENT_PUBLISHED))["data"]
        second = (await harness.heard(EVENT_PUBLISHED))["data"]
    assert first["event_id"] == second["event_id"]
    assert (second["title"], second["on_sale"]) == ("A Larger Concert", False)
    assert [cls["obstacle"] for cls in second["classes"]] == ["not_on_sale", "not_on_sale"]
    stays = ("class_id", "name", "kind", "capacity")
    assert [[cls[name] for name in stays] for cls in first["classes"]] == [
        [cls[name] for name in stays] for cls in second["classes"]
    ]


def _without_circle() -> dict[str, Any]:
    document = seated_event()
    return document | {"offers": document["offers"][:1]}


def _plan_with_a_missing_seat() -> dict[str, Any]:
    document = plan()
    del document["zones"][0]["rows"][1]["seats"][1]
    return document


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([event(name="New"), event(name="", identifier="b")], "[1].name"),
        (["{"], "Here belongs"),
        ([b"\xff"], "not UTF-8"),
        ([_without_circle()], "“Circle” is missing"),
        ([seated_event(identifier="other", **{"onsale:seatingPlan": "No Such Plan"})], "no seating plan named"),
    ],
    ids=["one bad event of two", "not an event", "not text", "class taken away", "plan unknown"],
)
async def test_a_bad_file_changes_nothing_and_is_reported_with_exit_code_1(
    harness: Harness, tmp_path: Path, capsys: pytest.CaptureFixture[str], documents: list[Any], words: str
) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, plan(), seated_event())
    before = await counts(settings)
    file = documents if all(isinstance(each, dict) for each in documents) else documents[0]
    assert await load_documents(settings, tmp_path, file) == 1
    assert await counts(settings) == before
    assert words in capsys.readouterr().err


async def test_good_files_are_loaded_beside_a_bad_one(harness: Harness, tmp_path: Path) -> None:
    settings = harness.settings(CatalogSettings)
    assert await load_documents(settings, tmp_path, {"zones": 1}, event()) == 1
    assert (await counts(settings))["event"] == 1


async def test_a_file_that_is_not_there_is_reported(
    harness: Harness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = harness.settings(CatalogSettings)
    assert await load(settings, [tmp_path / "none.json"], sample=False, if_empty=False) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err


async def test_a_changed_plan_is_a_new_version_and_the_old_one_stays(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    database = Database(settings)
    importer = Importer(database)
    try:
        first = await importer.import_seating_plan(_plan(plan()))
        moved = plan()
        moved["zones"][0]["position"]["x"] = 15
        second = await importer.import_seating_plan(_plan(moved))
        again = await importer.import_seating_plan(_plan(plan()))
    finally:
        await database.close()
    assert (first.version, first.outcome) == (1, "added")
    assert (second.version, second.outcome) == (2, "changed")
    assert (again.version, again.outcome, again.seat_map_id) == (1, "unchanged", first.seat_map_id)
    assert second.seat_map_id != first.seat_map_id


async def test_a_seat_that_may_have_been_sold_cannot_vanish_with_a_new_plan(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    database = Database(settings)
    importer = Importer(database)
    try:
        await importer.import_seating_plan(_plan(plan()))
        await importer.import_events(_events(seated_event()))
        await importer.import_seating_plan(_plan(_plan_with_a_missing_seat()))
        with pytest.raises(ImportRefused, match="Seat “B2”"):
            await importer.import_events(_events(seated_event(name="Changed")))
    finally:
        await database.close()


async def test_samples_are_loaded_once_if_empty(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    assert await load(settings, [], sample=True, if_empty=True) == 0
    before = await counts(settings)
    assert await load(settings, [], sample=True, if_empty=True) == 0
    assert await load(settings, [], sample=True, if_empty=False) == 0
    assert await counts(settings) == before
    assert before["seat"] == 2_060


async def test_the_database_refuses_what_must_never_be(harness: Harness, tmp_path: Path) -> None:
    settings = harness.settings(CatalogSettings)
    await load_documents(settings, tmp_path, plan(), seated_event())
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        for change in (
            "UPDATE ticket_class SET price_minor = -1",
            "UPDATE ticket_class SET capacity = -1",
            "UPDATE ticket_class SET availability = 'perhaps'",
            "UPDATE event SET state = 'perhaps'",
            "UPDATE ticket_class SET kind = 'standing'",
            "UPDATE event SET currency = 'Eur'",
            "UPDATE event SET max_per_order = 0",
            "UPDATE event SET doors_at = starts_at + interval '1 hour'",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(change)
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("UPDATE seat SET seat_id = 'A1'")
    finally:
        await connection.close()


def _plan(document: object) -> SeatingPlan:
    read = read_file(as_file(document))
    assert isinstance(read, SeatingPlan)
    return read


def _events(document: object) -> list[EventDraft]:
    read = read_file(as_file(document))
    assert isinstance(read, list)
    return read
