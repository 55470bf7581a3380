"""What an offer says of its sale: sold out, not yet, no longer, elsewhere. A sale that begins later begins by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.testing import Harness
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import event
from services.catalog.tests.integration.test_importing import load_documents
from services.catalog.tests.integration.test_states_of_events import answered

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def settings(harness: Harness) -> CatalogSettings:
    return harness.settings(CatalogSettings)


def offer(name: str = "Standing", **said: Any) -> dict[str, Any]:
    return {"@type": "Offer", "name": name, "price": "12.50", "priceCurrency": "EUR", "inventoryLevel": 40} | said


@pytest.mark.parametrize("address", ["https://schema.org/", "http://schema.org/", ""])
@pytest.mark.parametrize(
    ("word", "obstacle"),
    [
        ("InStock", None),
        ("LimitedAvailability", None),
        ("OnlineOnly", None),
        ("SoldOut", "sold_out"),
        ("OutOfStock", "sold_out"),
        ("BackOrder", "sold_out"),
        ("Reserved", "sold_out"),
        ("InStoreOnly", "box_office"),
        ("Discontinued", "discontinued"),
        ("PreOrder", "not_yet"),
        ("PreSale", "not_yet"),
    ],
)
async def test_a_class_is_sold_as_its_offer_says(
    harness: Harness, settings: CatalogSettings, tmp_path: Path, address: str, word: str, obstacle: str | None
) -> None:
    await load_documents(settings, tmp_path, event(offers=[offer(availability=address + word), offer("Other")]))
    listed, page = await answered(harness, settings)
    assert [(cls["obstacle"], cls["on_sale"]) for cls in page["classes"]] == [
        (obstacle, obstacle is None),
        (None, True),
    ]
    assert (listed["on_sale"], page["on_sale"], page["obstacle"]) == (True, True, None)


@pytest.mark.parametrize(
    ("said", "on_sale"),
    [
        ({"validFrom": NOW + timedelta(days=3)}, False),
        ({"validFrom": NOW + timedelta(days=3), "availability": "PreOrder"}, False),
        ({"availabilityStarts": NOW + timedelta(days=3)}, False),
        ({"validFrom": NOW - timedelta(days=3), "availabilityStarts": NOW + timedelta(days=3)}, False),
        ({"validFrom": NOW - timedelta(days=3), "availability": "PreSale"}, True),
        ({"validThrough": NOW - timedelta(days=3)}, False),
        ({"availabilityEnds": NOW - timedelta(days=3)}, False),
        ({"priceValidUntil": (NOW - timedelta(days=3)).date()}, False),
        ({"validThrough": NOW + timedelta(days=3), "availabilityEnds": NOW - timedelta(days=3)}, False),
        ({"validFrom": NOW - timedelta(days=3), "validThrough": NOW + timedelta(days=3)}, True),
    ],
)
async def test_an_offer_is_sold_within_its_dates_only(
    harness: Harness, settings: CatalogSettings, tmp_path: Path, said: dict[str, Any], on_sale: bool
) -> None:
    written = {key: value if isinstance(value, str) else value.isoformat() for key, value in said.items()}
    await load_documents(settings, tmp_path, event(offers=offer(**written)))
    listed, page = await answered(harness, settings)
    assert (listed["on_sale"], page["on_sale"], page["classes"][0]["on_sale"]) == (on_sale,) * 3
    begins = [value for key, value in said.items() if key in ("validFrom", "availabilityStarts") and value > NOW]
    expected = begins[0].isoformat().replace("+00:00", "Z") if begins else None
    assert (listed["sale_begins_at"], page["sale_begins_at"]) == (expected, expected)


async def test_a_day_without_a_time_is_a_day_of_the_place(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    dated = offer(validFrom="2031-01-10", validThrough="2031-01-12")
    unzoned = offer("Other", availabilityStarts="2031-01-10T10:00", availabilityEnds="2031-01-12T24:00")
    await load_documents(settings, tmp_path, event(offers=[dated, unzoned]))
    _, page = await answered(harness, settings)
    assert [(cls["sale_begins_at"], cls["sale_ends_at"]) for cls in page["classes"]] == [
        ("2031-01-09T23:00:00Z", "2031-01-12T23:00:00Z"),
        ("2031-01-10T09:00:00Z", "2031-01-12T23:00:00Z"),
    ]


async def test_the_list_tells_the_price_of_what_can_be_bought(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    early = offer("Early bird", price=5, availability="SoldOut")
    await load_documents(settings, tmp_path, event(offers=[early, offer()]))
    listed, _ = await answered(harness, settings)
    assert listed["from_price_minor"] == 1250


async def test_what_the_offers_of_a_range_have_in_common_holds_for_each(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    around = {
        "@type": "AggregateOffer",
        "availability": "https://schema.org/SoldOut",
        "priceCurrency": "EUR",
        "offers": [offer(), offer("Other", availability="https://schema.org/InStock")],
    }
    await load_documents(settings, tmp_path, event(offers=around))
    _, page = await answered(harness, settings)
    assert [cls["obstacle"] for cls in page["classes"]] == ["sold_out", None]


async def test_a_class_that_is_sold_out_keeps_the_capacity_that_its_offer_does_not_tell_any_more(
    harness: Harness, settings: CatalogSettings, tmp_path: Path
) -> None:
    new = {key: value for key, value in offer("New", availability="SoldOut").items() if key != "inventoryLevel"}
    await load_documents(settings, tmp_path, event(offers=offer()))
    await load_documents(settings, tmp_path, event(offers=[offer(inventoryLevel=0), new]))
    _, page = await answered(harness, settings)
    assert [(cls["capacity"], cls["obstacle"]) for cls in page["classes"]] == [(40, "sold_out"), (0, "sold_out")]


@pytest.mark.parametrize(
    ("said", "where", "words"),
    [
        ({"availability": "https://schema.org/Perhaps"}, "offers[0].availability", "no availability of schema.org"),
        ({"validFrom": "2031-02-30"}, "offers[0].validFrom", "not on the calendar"),
        ({"validFrom": "soon"}, "offers[0].validFrom", "not a date with a time"),
        ({"validFrom": "2031-03-01", "validThrough": "2031-02-01"}, "offers[0].validThrough", "end before it begins"),
    ],
)
async def test_what_an_offer_cannot_mean_is_refused_with_its_path(
    settings: CatalogSettings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    said: dict[str, Any],
    where: str,
    words: str,
) -> None:
    assert await load_documents(settings, tmp_path, event(offers=[offer(**said)])) == 1
    printed = capsys.readouterr().err
    assert f" {where}: " in printed
    assert words in printed


async def test_who_loads_a_file_reads_what_was_understood_and_what_was_passed_over(
    settings: CatalogSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offers = [
        offer(availability="InStoreOnly", sku="A-1"),
        offer("Later", validFrom="2031-01-10T10:00:00+01:00", sku="A-2"),
    ]
    await load_documents(settings, tmp_path, event(offers=offers, isFamilyFriendly=True, endDate="2031-06-20T20:00"))
    printed = [line.split(": ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert printed[1:] == [
        "  as planned: 2031-06-20 20:00 Europe/Berlin; Kleiner Saal, Köln",
        "  “Standing”, 40 places, €12.50: not sold, because it is sold at the box office only",
        "  “Later”, 40 places, €12.50: sold from 2031-01-10 10:00 until 2031-06-20 20:00",
        "passed over: endDate (the same as the start, so no end)",
        "passed over: isFamilyFriendly",
        "passed over: offers[0].sku, and 1 more like it",
    ]
