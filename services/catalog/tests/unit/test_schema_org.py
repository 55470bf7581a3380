from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import MINOR_DIGITS, MOST_PRICE_MINOR
from services.catalog.domain import EventDraft, ImportRefused, Venue
from services.catalog.importers.document import MAX_FILE_BYTES, Node
from services.catalog.importers.money import read_price
from services.catalog.importers.reading import read_file
from services.catalog.tests.examples import as_file, event, outcome, seated_event


def read(document: object) -> list[EventDraft]:
    found = read_file(as_file(document))
    assert isinstance(found, list)
    return found


def offer(**changes: Any) -> dict[str, Any]:
    fields = {"@type": "Offer", "name": "Standing", "price": "12.50", "priceCurrency": "EUR", "inventoryLevel": 40}
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def test_an_event_is_read_with_its_instants_in_utc() -> None:
    (draft,) = read(event(doorTime="2031-06-20T19:00:00", endDate="2031-06-20T23:00:00+02:00"))
    assert (draft.title, draft.time_zone, draft.currency) == ("A Small Concert", "Europe/Berlin", "EUR")
    assert draft.starts_at == datetime(2031, 6, 20, 18, tzinfo=UTC)
    assert draft.doors_at == datetime(2031, 6, 20, 17, tzinfo=UTC)
    assert draft.ends_at == datetime(2031, 6, 20, 21, tzinfo=UTC)
    assert draft.venue == Venue("Kleiner Saal", "Gasse 1", "Köln", "DE")
    assert [(cls.name, cls.kind, cls.price_minor, cls.capacity) for cls in draft.classes] == [
        ("Standing", "general", 1250, 40),
        ("Balcony", "general", 2000, 10),
    ]
    assert (draft.on_sale, draft.max_per_order, draft.image) == (True, 10, "hall")


def test_one_object_a_list_and_a_graph_are_the_same() -> None:
    graph = {"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "name": "x"}, event()]}
    (single,), (listed,), (in_graph,) = read(event()), read([event()]), read(graph)
    assert single.event_id == listed.event_id == in_graph.event_id
    assert (single.path, listed.path, in_graph.path) == ("", "[0]", "@graph[1]")


def place(country: str | None) -> dict[str, Any]:
    """A place in a country, or in none that is given."""
    address = {"@type": "PostalAddress", "streetAddress": "1 Main St", "addressLocality": "Springfield"}
    return {"@type": "Place", "name": "Hall", "address": address | ({"addressCountry": country} if country else {})}


def test_an_offset_alone_says_the_time_zone_if_it_is_whole_hours() -> None:
    (draft,) = read(event(location=place(None), **{"onsale:timeZone": None}))
    assert (draft.time_zone, draft.starts_at.hour) == ("Etc/GMT-2", 18)


@pytest.mark.parametrize(
    ("country", "start", "zone", "hour"),
    [
        ("DE", "2031-06-20T20:00", "Europe/Berlin", 18),
        ("DE", "2031-06-20T18:00:00.000Z", "Europe/Berlin", 18),
        ("jp", "2031-06-20T20:00:00", "Asia/Tokyo", 11),
        ("IN", "2031-06-20T20:00:00+05:30", "Asia/Kolkata", 14),
        ("US", "2031-06-20T20:00:00-05:00", "Etc/GMT+5", 1),
        ("US", "2031-06-20T20:00-05:00[America/Chicago]", "America/Chicago", 1),
    ],
)
def test_a_country_with_one_time_zone_says_which_it_is(country: str, start: str, zone: str, hour: int) -> None:
    (draft,) = read(event(startDate=start, location=place(country), **{"onsale:timeZone": None}))
    assert (draft.time_zone, draft.starts_at.hour) == (zone, hour)


def test_an_aggregate_offer_hands_its_currency_to_the_offers_in_it() -> None:
    aggregate = {"@type": "AggregateOffer", "priceCurrency": "JPY", "offers": [offer(price="900", priceCurrency=...)]}
    (draft,) = read(event(offers=aggregate))
    assert (draft.currency, draft.classes[0].price_minor) == ("JPY", 900)


def test_a_class_alone_takes_the_capacity_of_the_event() -> None:
    (draft,) = read(event(offers=offer(name=..., inventoryLevel=...), maximumAttendeeCapacity=75))
    assert (draft.classes[0].name, draft.classes[0].capacity) == ("Ticket", 75)


def test_with_a_plan_offers_without_capacity_are_seated() -> None:
    (draft,) = read(seated_event())
    assert [(cls.kind, cls.capacity) for cls in draft.classes] == [("seated", None), ("seated", None)]
    assert (draft.plan_name, draft.image) == ("Little Room", "theatre")


def test_the_smallest_eligible_quantity_bounds_an_order_unless_the_event_says_otherwise() -> None:
    offers = [offer(eligibleQuantity={"maxValue": 6}), offer(name="B", eligibleQuantity=4)]
    assert read(event(offers=offers))[0].max_per_order == 4
    assert read(event(offers=offers, **{"onsale:maxPerOrder": 2}))[0].max_per_order == 2


def test_how_many_places_a_buyer_may_have_is_bounded_only_if_the_file_says_so() -> None:
    assert read(event())[0].max_per_buyer is None
    assert read(event(**{"onsale:maxPerBuyer": 4}))[0].max_per_buyer == 4
    with pytest.raises(ImportRefused, match="maxPerBuyer"):
        read(event(**{"onsale:maxPerBuyer": 0}))


@pytest.mark.parametrize(
    ("changes", "bad_field", "words"),
    [
        ({"name": None}, "name", "Here belongs text"),
        ({"identifier": None}, "identifier", "second import"),
        ({"startDate": None}, "startDate", "time is missing"),
        ({"startDate": "2031-06-20"}, "startDate", "a day and not a time"),
        ({"startDate": "next Friday"}, "startDate", "not a date with a time"),
        ({"startDate": "2031-02-30T20:00:00Z"}, "startDate", "not on the calendar"),
        (
            {"startDate": "2031-06-20T20:00", "onsale:timeZone": None, "location": place("US")},
            "startDate",
            "neither an offset nor a time zone",
        ),
        ({"startDate": "2031-03-30T02:30:00"}, "startDate", "does not exist in Europe/Berlin"),
        ({"startDate": "2031-10-26T02:30:00"}, "startDate", "comes twice in Europe/Berlin"),
        ({"startDate": ["2031-06-20T20:00", "2031-06-21T20:00"]}, "startDate", "several times"),
        (
            {"startDate": "2031-06-20T20:00+05:30", "onsale:timeZone": None, "location": place(None)},
            "startDate",
            "no whole hour",
        ),
        ({"onsale:timeZone": "Cologne"}, "onsale:timeZone", "is not a time zone"),
        ({"doorTime": "2031-06-20T21:00:00"}, "doorTime", "after the start"),
        ({"endDate": "2031-06-20T19:00:00"}, "endDate", "after the start"),
        ({"location": None}, "location", "`Place`"),
        ({"location": {"@type": "VirtualLocation"}}, "location", "`Place`"),
        ({"location": {"@type": "Place"}}, "location.name", "Where do people have to go"),
        ({"organizer": None}, "organizer", "organiser is missing"),
        ({"offers": None}, "offers", "nothing to sell"),
        ({"offers": {"@type": "AggregateOffer", "lowPrice": 1}}, "offers.offers", "range of prices"),
        (
            {"offers": [offer(price="12.5055")]},
            "offers[0].price",
            "more decimals than its currency: EUR has 2 decimals",
        ),
        ({"offers": [offer(price=9.5, priceCurrency="JPY")]}, "offers[0].price", "JPY has no decimals"),
        ({"offers": [offer(price="-1")]}, "offers[0].price", "below 0"),
        ({"offers": [offer(price="12,50 €")]}, "offers[0].price", "is not a price"),
        ({"offers": [offer(price="1.500")]}, "offers[0].price", "two ways. Write “1500”"),
        ({"offers": [offer(price="1.500.000", priceCurrency="IDR")]}, "offers[0].price", "is not a price"),
        ({"offers": [offer(price=...)]}, "offers[0].price", "price is missing"),
        ({"offers": [offer(price=True)]}, "offers[0].price", "a number"),
        ({"offers": [offer(priceCurrency="Euro")]}, "offers[0].priceCurrency", "ISO 4217"),
        ({"offers": [offer(), offer(name="B", priceCurrency="USD")]}, "offers[1].priceCurrency", "one currency"),
        ({"offers": [offer(), offer()]}, "offers[1].name", "twice"),
        ({"offers": [offer(), offer(name=...)]}, "offers[1].name", "text"),
        ({"offers": [offer(inventoryLevel=-5)]}, "offers[0].inventoryLevel", "not between 0 and"),
        ({"offers": [offer(inventoryLevel={"value": -1})]}, "offers[0].inventoryLevel.value", "not between 0 and"),
        ({"offers": [offer(inventoryLevel=1.5)]}, "offers[0].inventoryLevel", "whole number"),
        ({"offers": [offer(inventoryLevel=...), offer(name="B")]}, "offers[0].inventoryLevel", "capacity is missing"),
        ({"offers": [offer(**{"onsale:kind": "seated"})]}, "onsale:seatingPlan", "name the seating plan"),
        ({"offers": [offer(**{"onsale:kind": "sitting"})]}, "offers[0].onsale:kind", "“general”"),
        ({"offers": [offer(**{"onsale:colour": "red;}"})]}, "offers[0].onsale:colour", "not a colour"),
        ({"onsale:image": "../x"}, "onsale:image", "key of a drawing"),
        ({"onsale:onSale": "yes"}, "onsale:onSale", "true or false"),
        ({"onsale:maxPerOrder": 0}, "onsale:maxPerOrder", "not between 1 and 50"),
        ({"@type": "Person"}, "@type", "“Event”"),
    ],
)
def test_a_bad_event_is_refused_with_the_path_of_the_field(changes: dict[str, Any], bad_field: str, words: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(event(**changes))
    assert refused.value.path == bad_field
    assert words in refused.value.sentence


def test_the_same_identifier_for_two_events_of_a_file_is_refused() -> None:
    with pytest.raises(ImportRefused, match="twice") as refused:
        read([event(), event(startDate="2031-06-21T20:00:00+02:00")])
    assert refused.value.path == "[1].identifier"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Köln".encode("latin-1"), "not UTF-8 text (the byte at offset 1"),
        (b'{"zones": [', "is not JSON"),
        (b'{"name": NaN}', "contains NaN"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1" + b"0" * 5_000 + b"]", "too long"),
        (b"[1e99999999999999999999]", "too long"),
        (b" " * (MAX_FILE_BYTES + 1), "at most 16 MB"),
    ],
)
def test_a_file_that_is_no_document_is_refused_with_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_file(content)
    assert refused.value.path == ""
    assert words in refused.value.sentence


@given(minor=st.integers(min_value=0, max_value=MOST_PRICE_MINOR), currency=st.sampled_from(sorted(MINOR_DIGITS)))
def test_a_price_comes_back_as_it_was_written_in_every_currency(minor: int, currency: str) -> None:
    amount = Decimal(minor).scaleb(-MINOR_DIGITS[currency])
    assert read_price(Node(f"{amount:f}", "price"), currency) == minor
    assert read_price(Node(amount, "price"), currency) == minor


_NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)


@given(st.one_of(_NUMBERS, st.text(max_size=20), st.integers()))
def test_a_price_is_whole_minor_units_within_bounds_or_refused(value: object) -> None:
    read_or_refused = outcome(lambda: read_price(Node(value, "price"), "EUR"))
    if isinstance(read_or_refused, ImportRefused):
        assert read_or_refused.path == "price"
    else:
        assert 0 <= read_or_refused <= MOST_PRICE_MINOR
