"""An event that is cancelled, postponed, moved: what the catalogue answers, and what it tells those who hold tickets."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chassis.testing import Harness
from services.catalog.app import create_app
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import event
from services.catalog.tests.integration.test_importing import load_documents

EVENT_CHANGED = "events.catalog.event_changed.v1"
PUBLISHED = "SELECT data FROM outbox WHERE subject = $1 ORDER BY seq"
MOVED = "2031-09-12T19:00:00+02:00"


@pytest.fixture
def settings(harness: Harness) -> CatalogSettings:
    return harness.settings(CatalogSettings)


async def published_changes(settings: CatalogSettings) -> list[dict[str, Any]]:
    """What was published of changes, in order, as the outbox keeps it."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        return [row["data"] for row in await connection.fetch(PUBLISHED, EVENT_CHANGED)]
    finally:
        await connection.close()


async def answered(harness: Harness, settings: CatalogSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The only event, as the list and as its page has it."""
    async with harness.running(create_app, settings) as app:
        app.http.headers.update(harness.headers("web", to="catalog"))
        (listed,) = (await app.http.get("/events")).json()["items"]
        return listed, (await app.http.get(f"/events/{listed['event_id']}")).json()


@pytest.mark.parametrize("address", ["https://schema.org/", "http://schema.org/", "schema:", ""])
@pytest.mark.parametrize(
    ("word", "state"),
    [("EventCancelled", "cancelled"), ("EventPostponed", "postponed"), ("EventMovedOnline", "moved_online")],
)
async def test_an_event_that_does_not_take_place_as_planned_is_not_sold_and_says_why(
    harness: Harness, settings: CatalogSettings, tmp_path: Path, address: str, word: str, state: str
) -> None:
    assert await load_documents(settings, tmp_path, event(eventStatus=address + word)) == 0
    listed, page = await answered(harness, settings)
    assert (listed["state"], listed["on_sale"], listed["obstacle"]) == (state, False, state)
    assert (page["state"], page["on_sale"], page["obstacle"]) == (state, False, state)
    assert {(cls["on_sale"], cls["obstacle"]) for cls in page["classes"]} == {(False, state)}
    (fact,) = await published_changes(settings)
    assert (fact["state"], fact["changes"], fact["version"]) == (state, ["state"], 1)


async def test_an_event_that_takes_place_as_planned_tells_holders_nothing(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event(eventStatus="https://schema.org/EventScheduled"))
    await load_documents(settings, tmp_path, event(description="Other songs."))
    assert await published_changes(settings) == []


async def test_a_fact_tells_holders_of_a_cancellation_that_comes_later(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event())
    await load_documents(settings, tmp_path, event(eventStatus="https://schema.org/EventCancelled"))
    await load_documents(settings, tmp_path, event(eventStatus="https://schema.org/EventCancelled"))
    await load_documents(settings, tmp_path, event(eventStatus="https://schema.org/EventScheduled"))
    assert [(fact["version"], fact["state"], fact["changes"]) for fact in await published_changes(settings)] == [
        (2, "cancelled", ["state"]),
        (3, "scheduled", ["state"]),
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"eventStatus": "EventRescheduled", "previousStartDate": "2031-06-20T20:00:00+02:00"},
        {"eventStatus": "http://schema.org/EventRescheduled"},
        {"eventStatus": "EventScheduled"},
        {},
    ],
    ids=["with its old date", "without its old date", "said to be as planned", "without a word"],
)
async def test_a_new_date_is_a_rescheduled_event_with_its_old_date(
    harness: Harness, settings: CatalogSettings, tmp_path: Path, said: dict[str, Any]
) -> None:
    await load_documents(settings, tmp_path, event())
    hall = {"@type": "Place", "name": "Stadthalle", "address": {"streetAddress": "Weg 2", "addressLocality": "Köln"}}
    await load_documents(settings, tmp_path, event(startDate=MOVED, location=hall, doorTime="18:00", **said))
    listed, page = await answered(harness, settings)
    assert (listed["state"], listed["previous_starts_at"]) == ("rescheduled", "2031-06-20T18:00:00Z")
    assert (page["starts_at"], page["on_sale"]) == ("2031-09-12T17:00:00Z", True)
    (fact,) = await published_changes(settings)
    assert fact == {
        "event_id": page["event_id"],
        "version": 2,
        "state": "rescheduled",
        "changes": ["state", "starts_at", "doors_at", "venue"],
        "title": "A Small Concert",
        "starts_at": "2031-09-12T17:00:00Z",
        "doors_at": "2031-09-12T16:00:00Z",
        "time_zone": "Europe/Berlin",
        "venue_name": "Stadthalle",
        "venue_street": "Weg 2",
        "venue_city": "Köln",
        "venue_country": None,
        "previous_starts_at": "2031-06-20T18:00:00Z",
        "image": "hall",
        "code_edition": 1,
    }


async def test_a_moved_event_stays_moved_when_something_else_of_it_changes(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event())
    await load_documents(settings, tmp_path, event(startDate=MOVED))
    await load_documents(settings, tmp_path, event(startDate=MOVED, description="More songs."))
    _, page = await answered(harness, settings)
    assert (page["state"], page["previous_starts_at"]) == ("rescheduled", "2031-06-20T18:00:00Z")
    assert len(await published_changes(settings)) == 1


async def test_moved_online_without_a_place_it_keeps_the_place_that_people_know(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event())
    online = {"@type": "VirtualLocation", "url": "https://example.org/stream"}
    await load_documents(settings, tmp_path, event(location=online, eventStatus=["EventMovedOnline"]))
    _, page = await answered(harness, settings)
    assert (page["state"], page["venue"]["name"]) == ("moved_online", "Kleiner Saal")
    assert [fact["changes"] for fact in await published_changes(settings)] == [["state"]]


async def test_a_state_that_the_vocabulary_does_not_have_is_refused_with_its_path(
    settings: CatalogSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await load_documents(settings, tmp_path, event(eventStatus="https://schema.org/EventPerhaps")) == 1
    assert "eventStatus: “https://schema.org/EventPerhaps” is no state of schema.org" in capsys.readouterr().err


def of_codes(facts: list[dict[str, Any]]) -> list[tuple[int, int, list[str]]]:
    return [(fact["version"], fact["code_edition"], fact["changes"]) for fact in facts]


async def test_an_organiser_says_when_earlier_codes_are_refused_and_that_never_goes_back(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event())
    await load_documents(settings, tmp_path, event(startDate=MOVED))
    await load_documents(settings, tmp_path, event(startDate=MOVED, **{"onsale:codeEdition": 2}))
    await load_documents(settings, tmp_path, event(startDate=MOVED, **{"onsale:codeEdition": 2}))
    await load_documents(settings, tmp_path, event())
    assert of_codes(await published_changes(settings)) == [
        (2, 1, ["state", "starts_at"]),
        (3, 2, ["codes"]),
        (4, 2, ["starts_at"]),
    ]


async def test_an_edition_that_is_there_from_the_beginning_is_published(
    settings: CatalogSettings, tmp_path: Path
) -> None:
    await load_documents(settings, tmp_path, event(**{"onsale:codeEdition": 3}))
    await load_documents(settings, tmp_path, event(**{"onsale:codeEdition": 3}, description="Other songs."))
    assert of_codes(await published_changes(settings)) == [(1, 3, ["codes"])]


async def test_codes_of_an_event_that_is_over_are_published_too(settings: CatalogSettings, tmp_path: Path) -> None:
    over = {"startDate": "2020-06-20T20:00:00+02:00"}
    await load_documents(settings, tmp_path, event(**over))
    await load_documents(settings, tmp_path, event(**{"onsale:codeEdition": 2}))
    assert of_codes(await published_changes(settings)) == [(2, 2, ["codes"])]


@pytest.mark.parametrize("edition", [0, -1, 1.5, "two", 65_536, True, [2]])
async def test_an_edition_that_is_no_whole_number_is_refused_with_its_path(
    settings: CatalogSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str], edition: Any
) -> None:
    assert await load_documents(settings, tmp_path, event(**{"onsale:codeEdition": edition})) == 1
    assert "onsale:codeEdition" in "".join(capsys.readouterr())
