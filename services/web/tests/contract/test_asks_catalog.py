"""What web needs of catalog: the list, an event's page, the geometry of a house."""

from typing import Any

import pytest

from chassis.http import ProviderProblem
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.web.clients.catalog import GET_EVENT, GET_SEAT_MAP, LIST_EVENTS, CatalogClient

catalog = asks("web", "catalog", CatalogClient)

STATES = ("scheduled", "rescheduled", "postponed", "cancelled", "moved_online")
OBSTACLES = (
    "cancelled",
    "postponed",
    "moved_online",
    "not_on_sale",
    "sold_out",
    "not_yet",
    "box_office",
    "discontinued",
)


def in_state(state: str) -> Any:
    """How an event stands: pages know a word for each of these."""
    return matchers.one_of(state, *STATES)


CANCELLED: dict[str, Any] = {
    "on_sale": False,
    "state": in_state("cancelled"),
    "obstacle": matchers.one_of(*OBSTACLES),
}
LIES_AHEAD: dict[str, Any] = {"on_sale": False, "sale_begins_at": matchers.timestamp("2031-01-10T09:00:00Z")}
MOVED: dict[str, Any] = {"state": in_state("rescheduled"), "previous_starts_at": matchers.timestamp()}
COLOUR = matchers.text("#4c6ef5", r"^#[0-9a-fA-F]{6}$")
A_LISTED_EVENT = {
    "event_id": matchers.identifier(an_id("web asks catalog: listed event")),
    "title": matchers.text("Hamlet"),
    "starts_at": matchers.timestamp(),
    "time_zone": matchers.text("Europe/Berlin"),
    "venue_name": matchers.text("Globe"),
    "city": matchers.text("Berlin"),
    "image": matchers.text("theatre", r"^[a-z0-9-]+$"),
    "from_price_minor": matchers.money(2500),
    "currency": matchers.currency(),
    "on_sale": matchers.boolean(True),
    "state": in_state("scheduled"),
    "previous_starts_at": matchers.nothing(),
    "obstacle": matchers.nothing(),
    "sale_begins_at": matchers.nothing(),
    "sale_ends_at": matchers.timestamp("2031-06-20T18:00:00Z"),
}


async def test_the_list_is_searched(catalog: Asking[CatalogClient]) -> None:
    async with catalog.expects(
        "the events that a search finds",
        a_state("an event on sale", event_id=an_id("web asks catalog: Gilgamesh"), title="Gilgamesh"),
        ask(LIST_EVENTS, query={"query": "gilgamesh", "limit": "24"}),
        Answer(200, {"items": matchers.several(A_LISTED_EVENT), "next": matchers.nothing()}),
    ) as client:
        page = await client.events("gilgamesh", None, 24)
        assert [each.from_price_minor for each in page.items] == [2500]


async def test_events_on_the_list_are_read_to_the_letter_and_by_their_start(catalog: Asking[CatalogClient]) -> None:
    earlier_id, later_id = an_id("web asks catalog: the earlier Aida"), an_id("web asks catalog: the later Aida")
    earlier = {
        "event_id": str(earlier_id),
        "title": "Aida",
        "starts_at": "2031-06-21T18:00:00Z",
        "time_zone": "Europe/Berlin",
        "venue_name": "Stadthalle",
        "city": "Potsdam",
        "image": "open-air",
        "from_price_minor": 1725,
        "currency": "EUR",
        "on_sale": False,
        "state": "rescheduled",
        "previous_starts_at": "2031-05-20T18:30:00Z",
        "obstacle": None,
        "sale_begins_at": "2031-01-10T09:00:00Z",
        "sale_ends_at": "2031-06-20T19:00:00Z",
    }
    later = earlier | {"event_id": str(later_id), "title": "Aida again", "starts_at": "2031-06-28T18:15:00Z"}
    now = {"on_sale": True, "state": "scheduled", "previous_starts_at": None, "sale_begins_at": None}
    async with catalog.expects(
        "two events of which everything is told",
        a_state("two events of which everything is told", event_ids=[str(earlier_id), str(later_id)], title="Aida"),
        ask(LIST_EVENTS, query={"query": "Aida", "limit": "24"}),
        Answer(200, {"items": [earlier, later | now], "next": matchers.nothing()}),
    ) as client:
        page = await client.events("Aida", None, 24)
        assert [(each.event_id, each.on_sale) for each in page.items] == [(earlier_id, False), (later_id, True)]


@pytest.mark.parametrize(
    ("given", "title", "says", "state"),
    [
        ("that is cancelled", "Ubu", CANCELLED, "cancelled"),
        ("whose sale lies ahead", "Woyzeck", LIES_AHEAD, "scheduled"),
        ("that has moved", "Medea", MOVED, "rescheduled"),
    ],
)
async def test_an_event_on_the_list_says_how_it_stands_and_why_it_is_not_sold(
    catalog: Asking[CatalogClient], given: str, title: str, says: dict[str, Any], state: str
) -> None:
    event_id = an_id(f"web asks catalog: event {given}")
    async with catalog.expects(
        f"the list with an event {given}",
        a_state(f"an event {given}", event_id=event_id, title=title),
        ask(LIST_EVENTS, query={"query": title, "limit": "24"}),
        Answer(200, {"items": matchers.several(A_LISTED_EVENT | says), "next": matchers.nothing()}),
    ) as client:
        (listed,) = (await client.events(title, None, 24)).items
        assert listed.state == state


async def test_a_search_may_find_nothing(catalog: Asking[CatalogClient]) -> None:
    async with catalog.expects(
        "the events that a search does not find",
        None,
        ask(LIST_EVENTS, query={"query": "nothing like this", "limit": "24"}),
        Answer(200, {"items": [], "next": matchers.nothing()}),
    ) as client:
        assert (await client.events("nothing like this", None, 24)).items == []


async def test_the_list_says_where_it_goes_on(catalog: Asking[CatalogClient]) -> None:
    async with catalog.expects(
        "the first of many events",
        a_state("several events on sale", event_ids=[str(an_id(f"web asks catalog: {number}")) for number in (1, 2)]),
        ask(LIST_EVENTS, query={"limit": "1"}),
        Answer(200, {"items": matchers.several(A_LISTED_EVENT), "next": matchers.text("c3RhcnQ", r"^[\w=-]+$")}),
    ) as client:
        assert (await client.events(None, None, 1)).next == "c3RhcnQ"


async def test_a_place_in_the_list_that_nobody_named_is_refused(catalog: Asking[CatalogClient]) -> None:
    async with catalog.expects(
        "the events after what is no place in the list",
        None,
        ask(LIST_EVENTS, query={"after": "nowhere", "limit": "24"}),
        problem(422, "cursor_invalid"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.events(None, "nowhere", 24)
        assert refused.value.problem_code == "cursor_invalid"


def an_event(event_id: Any, **more: Any) -> dict[str, Any]:
    return {
        "event_id": str(event_id),
        "title": matchers.text("Hamlet"),
        "description": matchers.text("Songs."),
        "starts_at": matchers.timestamp(),
        "time_zone": matchers.text("Europe/Berlin"),
        "organiser_name": matchers.text("Klangverein"),
        "image": matchers.text("hall", r"^[a-z0-9-]+$"),
        "venue": {
            "name": matchers.text("Globe"),
            "street": matchers.text("Gasse 1"),
            "city": matchers.text("Berlin"),
            "country": matchers.text("DE"),
        },
        "currency": matchers.currency(),
        "on_sale": matchers.boolean(True),
        "state": in_state("scheduled"),
        "previous_starts_at": matchers.nothing(),
        "over_at": matchers.timestamp("2031-06-20T18:00:00Z"),
        "obstacle": matchers.nothing(),
        "max_per_order": matchers.integer(10),
    } | more


def a_class(kind: str, **more: Any) -> Any:
    return matchers.several(
        {
            "class_id": matchers.identifier(an_id("web asks catalog: class")),
            "name": matchers.text("Standing"),
            "kind": kind,
            "price_minor": matchers.money(2500),
            "obstacle": matchers.nothing(),
            "sale_begins_at": matchers.nothing(),
            "sale_ends_at": matchers.timestamp("2031-06-20T18:00:00Z"),
            **more,
        }
    )


async def test_the_page_of_an_event_is_read_to_the_letter(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("web asks catalog: Turandot")
    stalls = {
        "class_id": matchers.identifier(an_id("web asks catalog: Turandot, stalls")),
        "name": "Stalls",
        "description": "Soft seats.",
        "kind": "general",
        "price_minor": 4250,
        "colour": "#4c6ef5",
        "obstacle": None,
        "sale_begins_at": "2031-02-11T11:30:00Z",
        "sale_ends_at": "2031-06-19T16:00:00Z",
    }
    standing = {
        "class_id": matchers.identifier(an_id("web asks catalog: Turandot, standing")),
        "name": "Standing",
        "description": "No seats.",
        "kind": "general",
        "price_minor": 1725,
        "colour": "#e8590c",
        "obstacle": None,
        "sale_begins_at": "2031-01-10T09:00:00Z",
        "sale_ends_at": "2031-06-20T19:00:00Z",
    }
    event = {
        "event_id": str(event_id),
        "title": "Turandot",
        "description": "An opera in three acts.",
        "starts_at": "2031-06-21T18:00:00Z",
        "doors_at": "2031-06-21T17:15:00Z",
        "time_zone": "Europe/Berlin",
        "organiser_name": "Klangverein",
        "image": "open-air",
        "venue": {"name": "Stadthalle", "street": "Spreeufer 2", "city": "Potsdam", "country": "DE"},
        "currency": "EUR",
        "on_sale": False,
        "state": "rescheduled",
        "previous_starts_at": "2031-05-20T18:30:00Z",
        "over_at": "2031-06-21T20:45:00Z",
        "obstacle": None,
        "max_per_order": 6,
        "seat_map": None,
        "classes": [stalls, standing],
    }
    async with catalog.expects(
        "the page of an event of which everything is told",
        a_state("an event of which everything is told", event_id=event_id, title="Turandot"),
        ask(GET_EVENT, event_id=event_id),
        Answer(200, event),
    ) as client:
        found = await client.event(event_id)
        assert [(each.name, each.price_minor) for each in found.classes] == [("Stalls", 4250), ("Standing", 1725)]


async def test_an_event_of_general_admission_has_no_seat_map(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("web asks catalog: general admission")
    plain = {"description": matchers.nothing(), "colour": matchers.nothing()}
    event = an_event(
        event_id, doors_at=matchers.nothing(), seat_map=matchers.nothing(), classes=a_class("general", **plain)
    )
    async with catalog.expects(
        "the page of an event of general admission",
        a_state("an event on sale", event_id=event_id),
        ask(GET_EVENT, event_id=event_id),
        Answer(200, event),
    ) as client:
        found = await client.event(event_id)
        assert (found.seat_map, found.classes[0].kind, found.venue.country) == (None, "general", "DE")


async def test_an_event_with_seats_names_its_seat_map(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("web asks catalog: seats")
    seat_map_id = an_id("web asks catalog: seat map of the event")
    described = {"description": matchers.text("Soft seats."), "colour": COLOUR}
    event = an_event(
        event_id,
        doors_at=matchers.timestamp("2031-06-21T17:00:00Z"),
        seat_map={"seat_map_id": str(seat_map_id), "version": 1},
        classes=a_class("seated", **described),
    )
    async with catalog.expects(
        "the page of an event with seats",
        a_state("an event with seats", event_id=event_id, seat_map_id=seat_map_id),
        ask(GET_EVENT, event_id=event_id),
        Answer(200, event),
    ) as client:
        found = await client.event(event_id)
        assert found.seat_map is not None
        assert found.seat_map.seat_map_id == seat_map_id


@pytest.mark.parametrize(
    ("given", "says", "class_says", "state"),
    [
        ("that is cancelled", CANCELLED, {"obstacle": matchers.one_of(*OBSTACLES)}, "cancelled"),
        (
            "whose sale lies ahead",
            {"on_sale": False},
            {"sale_begins_at": LIES_AHEAD["sale_begins_at"]},
            "scheduled",
        ),
        ("that has moved", MOVED, {}, "rescheduled"),
    ],
)
async def test_the_page_of_an_event_says_how_it_stands_and_why_it_is_not_sold(
    catalog: Asking[CatalogClient], given: str, says: dict[str, Any], class_says: dict[str, Any], state: str
) -> None:
    event_id = an_id(f"web asks catalog: page of an event {given}")
    plain = {"description": matchers.nothing(), "colour": matchers.nothing()}
    nothing = {"doors_at": matchers.nothing(), "seat_map": matchers.nothing()}
    event = an_event(event_id, classes=a_class("general", **plain, **class_says), **nothing, **says)
    async with catalog.expects(
        f"the page of an event {given}",
        a_state(f"an event {given}", event_id=event_id),
        ask(GET_EVENT, event_id=event_id),
        Answer(200, event),
    ) as client:
        assert (await client.event(event_id)).state == state


async def test_an_event_that_does_not_exist_is_unknown(catalog: Asking[CatalogClient]) -> None:
    event_id = an_id("web asks catalog: unknown")
    async with catalog.expects(
        "the page of an event that does not exist",
        None,
        ask(GET_EVENT, event_id=event_id),
        problem(404, "event_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.event(event_id)
        assert refused.value.problem_code == "event_unknown"


async def test_a_house_is_drawn_from_zones_rows_and_seats_in_their_order(catalog: Asking[CatalogClient]) -> None:
    seat_map_id = an_id("web asks catalog: seat map")

    def seat(zone: str, row: str, number: int, x: float, y: float, category: str) -> dict[str, Any]:
        label = f"{zone}, Row {row}, Seat {number}"
        where = {"x": x, "y": y, "category": category}
        return {"seat_id": f"{row}{number}", "label": label, "number": str(number), **where}

    def row(label: str, label_at: str, *seats: dict[str, Any]) -> dict[str, Any]:
        return {"label": label, "name": f"Row {label}", "label_at": label_at, "seats": list(seats)}

    box = {name: matchers.number(10.5) for name in ("x", "y", "width", "height", "rotation")}
    bare: dict[str, Any] = {**box, "text": None, "colour": None, "border_colour": None, "points": [], "lettering": None}
    place = {name: matchers.number(10.5) for name in ("x", "y", "size", "rotation")}
    stage = {
        **box,
        "shape": "polygon",
        "points": [[10.5, 100.5], [110.5, 100.0], [60.5, 109.0]],
        "text": "STAGE",
        "colour": "#dddddd",
        "border_colour": "#222222",
        "lettering": {**place, "colour": "#111111"},
    }
    bar, block = {**bare, "shape": "ellipse"}, {**bare, "shape": "rectangle"}
    exit_sign = {**bare, "shape": "text", "text": "EXIT", "lettering": {**place, "colour": None}}
    main = {
        "name": "Main",
        "areas": [stage, bar, block, exit_sign],
        "rows": [
            row("A", "both", seat("Main", "A", 1, 40.0, 20.5, "Stalls"), seat("Main", "A", 2, 65.0, 20.5, "Stalls")),
            row("B", "start", seat("Main", "B", 1, 40.0, 50.5, "Circle"), seat("Main", "B", 2, 65.0, 50.5, "Circle")),
        ],
    }
    gallery = {
        "name": "Gallery",
        "areas": [],
        "rows": [
            row("G", "end", seat("Gallery", "G", 7, 130.5, 12.0, "Circle")),
            row("H", "nowhere", seat("Gallery", "H", 8, 130.5, 32.0, "Circle")),
        ],
    }
    house = {
        "width": matchers.number(200),
        "height": matchers.number(100),
        "zones": [main, gallery],
        "categories": [{"name": "Stalls", "colour": "#4c6ef5"}, {"name": "Circle", "colour": "#e8590c"}],
    }
    async with catalog.expects(
        "the geometry of a house",
        a_state("a seat map", seat_map_id=seat_map_id),
        ask(GET_SEAT_MAP, seat_map_id=seat_map_id),
        Answer(200, house),
    ) as client:
        found = await client.seat_map(seat_map_id)
        assert [zone.name for zone in found.zones] == ["Main", "Gallery"]
        assert found.zones[0].rows[0].seats[0].x == 40.0
        assert (found.zones[0].rows[0].words, found.zones[0].rows[0].label_at) == ("Row A", "both")
        assert [area.text for area in found.zones[0].areas] == ["STAGE", None, None, "EXIT"]
        assert found.zones[0].areas[0].lettering is not None
        assert found.zones[0].areas[0].points == [(10.5, 100.5), (110.5, 100.0), (60.5, 109.0)]
