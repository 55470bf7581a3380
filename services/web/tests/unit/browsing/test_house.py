"""A house as a picture and as a list."""

from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from services.web.browsing.seating.house import House, build_house
from services.web.clients.catalog import Event, SeatMap
from services.web.frame.assets import own_assets
from services.web.frame.rendering import make_templates
from services.web.tests.neighbours import sample_class, sample_event, sample_seat_map

SVG = "{http://www.w3.org/2000/svg}"


class Boxes(HTMLParser):
    """The checkboxes of a list, by value."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.boxes: dict[str, dict[str, str | None]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input":
            self.boxes[str(values["value"])] = values


def house_of(seat_map: dict[str, Any], **classes: int) -> House:
    some = [
        sample_class(name, "seated", minor) for name, minor in (classes or {"Premium": 4500, "Standard": 2900}).items()
    ]
    event = Event.model_validate(sample_event("Play", some, seat_map))
    return build_house(make_templates(own_assets()), event, SeatMap.model_validate(seat_map))


def test_the_list_and_the_picture_number_the_same_seats() -> None:
    house = house_of(sample_seat_map(rows=3, seats=6))
    boxes = Boxes(house.list_of_seats({})).boxes
    picture = ET.fromstring(house.picture)  # noqa: S314  # our own drawing
    circles = {circle.get("id") for circle in picture.iter(f"{SVG}circle")}

    assert len(boxes) == 18
    assert {f"p{str(box['id'])[1:]}" for box in boxes.values()} == circles
    assert {box["name"] for box in boxes.values()} == {"seat"}


def test_taken_seats_are_switched_off_and_chosen_ones_ticked() -> None:
    house = house_of(sample_seat_map())
    boxes = Boxes(house.list_of_seats({"0-0-0": "held", "0-0-1": "sold"}, chosen={"0-0-2", "0-0-1"})).boxes

    assert "disabled" in boxes["0-0-0"]
    assert boxes["0-0-1"]["data-state"] == "sold"
    assert "checked" not in boxes["0-0-1"]
    assert "checked" in boxes["0-0-2"]
    assert sum("disabled" in box for box in boxes.values()) == 2


def test_a_kept_list_is_not_shown_for_other_seats() -> None:
    house = house_of(sample_seat_map())
    some, others = {"0-0-0": "held"}, {"0-0-1": "sold"}

    assert house.list_of_seats(some) is house.list_of_seats(some)
    assert "disabled" in Boxes(house.list_of_seats(others)).boxes["0-0-1"]
    assert "checked" in Boxes(house.list_of_seats(others, chosen={"0-0-2"})).boxes["0-0-2"]
    assert "checked" not in Boxes(house.list_of_seats(others)).boxes["0-0-2"]


def test_each_zone_tells_how_many_seats_are_free() -> None:
    house = house_of(sample_seat_map(rows=1, seats=2, zones=("Stalls", "Box")))

    html = house.list_of_seats({"1-0-0": "sold", "1-0-1": "held"})

    assert "2 free" in html
    assert "Sold out" in html


def test_seats_that_no_class_sells_are_drawn_but_not_offered() -> None:
    house = house_of(sample_seat_map(rows=2, seats=4), Premium=4500)

    assert len(Boxes(house.list_of_seats({})).boxes) == 4
    circles = ET.fromstring(house.picture).iter(f"{SVG}circle")  # noqa: S314  # our own drawing
    assert len(list(circles)) == 8


def test_seats_are_named_and_priced_as_people_call_them() -> None:
    house = house_of(sample_seat_map())

    assert house.name_of("0-1-3") == "Stalls, Row 2, Seat 4"
    assert (house.price_of("0-0-0"), house.price_of("0-1-0"), house.price_of("nowhere")) == (4500, 2900, 0)


def test_a_zone_without_a_name_is_called_all_seats() -> None:
    house = house_of(sample_seat_map(rows=1, seats=2, zones=("",)))

    assert "All seats" in house.list_of_seats({})
    assert house.name_of("0-0-1") == "Row 1, Seat 2"


def test_words_of_a_plan_cannot_break_out_of_page_or_picture() -> None:
    seat_map = sample_seat_map(rows=1, seats=1, zones=('<script>"&',))
    seat_map["zones"][0]["areas"][0]["text"] = "</text><script>alert(1)</script>"
    seat_map["zones"][0]["rows"][0]["seats"][0]["seat_id"] = '"><img src=x>'
    house = house_of(seat_map)

    html = house.list_of_seats({'"><img src=x>': "held"})

    assert "<script>" not in html
    assert "<img" not in html
    assert b"<script>" not in house.picture
    ET.fromstring(house.picture)  # noqa: S314  # well formed, in spite of everything


@pytest.mark.parametrize("colour", ["red;background:url(x)", '"/><script>', "#12", None])
def test_a_colour_that_is_none_is_replaced(colour: str | None) -> None:
    seat_map = sample_seat_map()
    seat_map["categories"][0]["colour"] = colour

    assert house_of(seat_map).categories[0].colour.startswith("#")


def test_the_address_of_the_picture_changes_with_the_picture() -> None:
    seat_map = sample_seat_map()
    before = house_of(seat_map).drawing_key
    seat_map["categories"][0]["colour"] = "#123456"

    assert house_of(seat_map).drawing_key != before


def test_two_thousand_seats_are_listed_in_little_space() -> None:
    house = house_of(sample_seat_map(rows=25, seats=40, zones=("Stalls", "Balcony")))

    assert len(house.by_seat_id) == 2000
    assert len(house.list_of_seats({})) < 110 * 2000
    assert len(house.compressed_picture) < 30_000


class Names(HTMLParser):
    """What a script calls each seat of a list, as event.js puts it together."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self.legends = ""
        self._row: dict[str, str | None] = {}
        self._label: dict[str, str | None] = {}
        self._seat = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "fieldset":
            self._row = dict(attrs)
        elif tag == "label":
            self._label = dict(attrs)
        elif tag == "input":
            self._seat = str(dict(attrs)["value"])

    def handle_data(self, data: str) -> None:
        if self.lasttag == "input" and self._seat:
            own = self._label.get("data-label")
            self.names[self._seat] = own or f"{self._row['data-before']}{data}{self._row['data-after']}"
            self._seat = ""
        elif self.lasttag == "legend":
            self.legends += data


def test_tables_and_their_seats_are_called_as_the_plan_calls_them_on_page_and_in_sentences() -> None:
    seat_map = sample_seat_map(rows=2, seats=3)
    table, row = seat_map["zones"][0]["rows"]
    table |= {"label": "7", "name": "Tisch 7"}
    for number, seat in enumerate(table["seats"], start=1):
        seat["label"] = f"Saal, Tisch 7, Stuhl {number} von 3"
    for seat, label in zip(row["seats"], ("Sofa", "Sessel am Kamin", "Saal, Platz 3"), strict=True):
        seat["label"] = label
    house = house_of(seat_map)

    listed = Names(house.list_of_seats({}))

    assert listed.names == {seat["seat_id"]: seat["label"] for seat in (*table["seats"], *row["seats"])}
    assert {one: house.name_of(one) for one in listed.names} == listed.names
    assert "Tisch 7" in listed.legends
    assert "Row 7" not in listed.legends
