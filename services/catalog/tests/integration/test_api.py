"""The routes, as web and orders call them."""

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing import Harness
from services.catalog.app import create_app
from services.catalog.load import load
from services.catalog.operations import SeatMapOut
from services.catalog.settings import CatalogSettings


@pytest.fixture
async def catalog(harness: Harness) -> AsyncIterator[httpx.AsyncClient]:
    """A running catalog with the samples, called by web."""
    settings = harness.settings(CatalogSettings)
    assert await load(settings, [], sample=True, if_empty=False) == 0
    async with harness.running(create_app, settings) as app:
        app.http.headers.update(harness.headers("web", to="catalog"))
        yield app.http


async def listed(catalog: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    response = await catalog.get("/events", params=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_the_list_is_by_start_with_the_cheapest_price(catalog: httpx.AsyncClient) -> None:
    items = (await listed(catalog))["items"]
    assert len(items) == 7
    assert [item["starts_at"] for item in items] == sorted(item["starts_at"] for item in items)
    hall = next(item for item in items if item["venue_name"] == "Harbour Hall")
    assert (hall["from_price_minor"], hall["currency"], hall["on_sale"]) == (2_200, "GBP", True)
    assert hall["starts_at"].endswith("Z")
    kyoto = next(item for item in items if item["city"] == "Kyoto")
    assert (kyoto["from_price_minor"], kyoto["time_zone"]) == (2_400, "Asia/Tokyo")


async def test_pages_follow_each_other_without_gap_or_repetition(catalog: httpx.AsyncClient) -> None:
    whole = [item["event_id"] for item in (await listed(catalog))["items"]]
    paged: list[str] = []
    after: str | None = None
    for _ in range(4):
        page = await listed(catalog, limit=2, **({"after": after} if after else {}))
        paged += [item["event_id"] for item in page["items"]]
        after = page["next"]
    assert paged == whole
    assert after is None


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("lighthouse", "The Lighthouse Keeper's Daughter"),
        ("KOELN brunn", "The Lighthouse Keeper's Daughter"),
        ("koln", "The Lighthouse Keeper's Daughter"),
        ("harbour philharmonic", "Tidal: a symphony in four movements"),
        ("manch", "Tidal: a symphony in four movements"),
    ],
)
async def test_search_finds_beginnings_of_words_of_title_venue_city_and_organiser(
    catalog: httpx.AsyncClient, query: str, title: str
) -> None:
    assert [item["title"] for item in (await listed(catalog, query=query))["items"]] == [title]


@pytest.mark.parametrize("query", ["nothing like this", "%", "_", "' OR 1=1", "ighthouse"])
async def test_search_finds_nothing_where_no_word_begins_so(catalog: httpx.AsyncClient, query: str) -> None:
    assert await listed(catalog, query=query) == {"items": [], "next": None}


# A moment of the first or last day of the calendar, which is none in UTC.
BEYOND_THE_CALENDAR = [
    base64.urlsafe_b64encode(f"{moment} 7cf01236-4bdc-5dca-8a49-a0f9248adc3d".encode()).decode()
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
]


@pytest.mark.parametrize("after", ["x", "bm90IGEgY3Vyc29y", "ÿ", "MjAyNi0wMS0wMSB4", *BEYOND_THE_CALENDAR])
async def test_a_cursor_that_is_none_is_refused_with_a_sentence(catalog: httpx.AsyncClient, after: str) -> None:
    response = await catalog.get("/events", params={"after": after})
    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")


async def test_an_event_is_answered_with_its_classes_and_its_seat_map(catalog: httpx.AsyncClient) -> None:
    (item,) = (await listed(catalog, query="lighthouse"))["items"]
    event = (await catalog.get(f"/events/{item['event_id']}")).json()
    assert event["venue"] == {
        "name": "Theater am Brunnen",
        "street": "Brunnengasse 8",
        "city": "Köln",
        "country": "DE",
    }
    assert [(cls["name"], cls["kind"], cls["price_minor"], cls["capacity"]) for cls in event["classes"]] == [
        ("Front", "seated", 3_400, 30),
        ("Rear", "seated", 2_400, 30),
    ]
    assert (event["max_per_order"], event["on_sale"], event["seat_map"]["version"]) == (10, True, 1)
    response = await catalog.get(f"/seat-maps/{event['seat_map']['seat_map_id']}")
    assert "immutable" in response.headers["cache-control"]
    seat_map = SeatMapOut.model_validate_json(response.content, extra="forbid")
    assert sum(len(row.seats) for zone in seat_map.zones for row in zone.rows) == 60
    assert {category.name for category in seat_map.categories} == {cls["name"] for cls in event["classes"]}
    assert seat_map.zones[0].areas[0].text == "STAGE"


async def test_an_event_that_is_not_on_sale_yet_is_listed_and_says_so(catalog: httpx.AsyncClient) -> None:
    (item,) = (await listed(catalog, query="trombone"))["items"]
    assert item["on_sale"] is False
    assert (await catalog.get(f"/events/{item['event_id']}")).json()["on_sale"] is False


@pytest.mark.parametrize(("path", "code"), [("/events", "event_unknown"), ("/seat-maps", "seat_map_unknown")])
async def test_what_is_not_there_is_a_404_with_its_code(catalog: httpx.AsyncClient, path: str, code: str) -> None:
    response = await catalog.get(f"{path}/{uuid4()}")
    assert (response.status_code, response.json()["code"]) == (404, code)


async def test_only_web_and_orders_may_ask(harness: Harness, catalog: httpx.AsyncClient) -> None:
    path = f"/events/{uuid4()}"
    asked = {
        caller: (await catalog.get(path, headers=harness.headers(caller, to="catalog"))).status_code
        for caller in ("web", "orders", "payments")
    }
    assert asked == {"web": 404, "orders": 404, "payments": 403}
