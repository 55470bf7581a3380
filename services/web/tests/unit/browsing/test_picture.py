"""The picture of a house: shapes and words as the plan says, circles that neither touch nor shrink, all readable."""

import math
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.web.browsing.seating.colours import PAPER, contrast
from services.web.browsing.seating.picture import Circles, picture
from services.web.browsing.seating.spots import spots_of
from services.web.clients.catalog import SeatMap
from services.web.tests.neighbours import sample_seat_map

SVG = "{http://www.w3.org/2000/svg}"


def a_map(*areas: dict[str, Any], rows: list[dict[str, Any]] | None = None, **more: Any) -> SeatMap:
    seat_map = sample_seat_map(rows=1, seats=4) | {"width": 700, "height": 460} | more
    seat_map["zones"][0]["areas"] = list(areas)
    if rows is not None:
        seat_map["zones"][0]["rows"] = rows
    return SeatMap.model_validate(seat_map)


def drawn(seat_map: SeatMap, colour: str = "#1565c0") -> ET.Element:
    spots = spots_of(seat_map)
    circles = Circles(colour, [(f"p{at}", spot) for at, spot in enumerate(spots.values())])
    return ET.fromstring(picture(seat_map, spots, [circles], []))  # noqa: S314  # our own drawing


def area(shape: str, **more: Any) -> dict[str, Any]:
    return {"shape": shape, "x": 100, "y": 50, "width": 200, "height": 80, "rotation": 0} | more


def words(text: str, x: float = 200, y: float = 90, **more: Any) -> dict[str, Any]:
    return {"text": text, "lettering": {"x": x, "y": y, "size": 20, "rotation": 0, "colour": None} | more}


def a_row(*places: tuple[float, float], label: str = "A", **more: Any) -> dict[str, Any]:
    seats = [
        {"seat_id": f"{label}{at}", "label": f"{label} {at}", "number": str(at), "x": x, "y": y, "category": "Premium"}
        for at, (x, y) in enumerate(places)
    ]
    return {"row_id": label, "label": label, "name": f"Row {label}", "label_at": "both", "seats": seats} | more


def test_every_shape_is_drawn_in_its_own_colours() -> None:
    points = [[0, 0], [400, 0], [240, 190]]
    colours = {"colour": "#c8e6c9", "border_colour": "#1b5e20"}
    svg = drawn(
        a_map(
            area("rectangle", **colours),
            area("ellipse", rotation=30, **colours),
            area("polygon", points=points, **colours),
            area("text", **words("Ausgang", colour="#b71c1c")),
        )
    )
    shapes = {tag: svg.find(f".//{SVG}{tag}") for tag in ("rect", "ellipse", "polygon", "text")}
    for tag in ("rect", "ellipse", "polygon"):
        shape = shapes[tag]
        assert shape is not None, tag
        assert (shape.get("fill"), shape.get("stroke")) == ("#c8e6c9", "#1b5e20")
    assert shapes["polygon"] is not None
    assert shapes["polygon"].get("points") == "0,0 400,0 240,190"
    assert shapes["ellipse"] is not None
    assert shapes["ellipse"].get("transform") == "rotate(30 200 90)"
    text = shapes["text"]
    assert text is not None
    assert (text.text, text.get("fill"), text.get("font-size")) == ("Ausgang", "#b71c1c", "20")
    assert svg.find(f".//{SVG}rect[@width='0']") is None


def test_words_stand_and_turn_where_the_plan_says() -> None:
    text = drawn(a_map(area("rectangle", **words("Bar", 120, 60, rotation=90, size=33)))).find(f".//{SVG}text")
    assert text is not None
    assert [text.get(name) for name in ("x", "y", "font-size")] == ["120", "60", "33"]
    assert text.get("transform") == "rotate(90 120 60)"


@pytest.mark.parametrize(
    "fill", ["#ffffff", "#000000", "#808080", "#ffeb3b", "#b71c1c", "#00000000", "#ffffff80", None, "evil"]
)
@pytest.mark.parametrize("wanted", ["#ffffff", "#000000", "#808080", "#fffde7", None, "red;x", "#12"])
def test_words_can_be_read_on_whatever_lies_below(fill: str | None, wanted: str | None) -> None:
    for shape in ("rectangle", "ellipse", "polygon", "text"):
        points = [[100, 50], [300, 50], [300, 130], [100, 130]]
        svg = drawn(a_map(area(shape, colour=fill, points=points, **words("Bar", colour=wanted))))
        text = svg.find(f".//{SVG}text")
        assert text is not None
        ground = PAPER
        if fill and shape != "text" and fill != "evil":
            share = int(fill[7:] or "ff", 16) / 255
            ground = "#" + "".join(
                f"{round(share * int(fill[at : at + 2], 16) + (1 - share) * int(PAPER[at : at + 2], 16)):02x}"
                for at in (1, 3, 5)
            )
        assert contrast(str(text.get("fill")), ground) >= 4.4, (shape, fill, wanted)


def test_a_wanted_colour_that_can_be_read_stays() -> None:
    text = drawn(a_map(area("rectangle", colour="#eeeeee", **words("Bar", colour="#0d47a1")))).find(f".//{SVG}text")
    assert text is not None
    assert text.get("fill") == "#0d47a1"


def test_words_that_are_longer_than_a_dark_shape_have_a_rim() -> None:
    svg = drawn(
        a_map(area("ellipse", colour="#111111", **words("A very long name of a very small bar", colour="#ffffff")))
    )
    text = svg.find(f".//{SVG}text")
    assert text is not None
    assert contrast(str(text.get("fill")), str(text.get("stroke"))) >= 4.5


def test_a_shape_that_is_not_known_is_its_box() -> None:
    assert drawn(a_map(area("star", colour="#eeeeee"))).find(f".//{SVG}rect") is not None


def circles_of(seat_map: SeatMap) -> list[tuple[float, float, float]]:
    group = drawn(seat_map).find(f".//{SVG}g[@class='plan__seats']")
    assert group is not None
    found = [tuple(float(circle.get(name) or 0) for name in ("cx", "cy", "r")) for circle in group.iter(f"{SVG}circle")]
    return [(x, y, r) for x, y, r in found]


def assert_apart(circles: list[tuple[float, float, float]]) -> None:
    for (x1, y1, r1), (x2, y2, r2) in combinations(circles, 2):
        assert math.dist((x1, y1), (x2, y2)) >= r1 + r2


def test_one_close_pair_shrinks_itself_alone() -> None:
    places = [(30.0 * at, 100.0) for at in range(12)]
    places[5] = (places[4][0] + 9, 100.0)
    circles = circles_of(a_map(rows=[a_row(*places)]))
    assert_apart(circles)
    assert [round(r, 1) for _, _, r in circles[:4]] == [12.9] * 4
    assert circles[5][2] < 5


def test_a_zone_of_narrow_seats_leaves_wide_ones_as_they_are() -> None:
    wide = a_row(*((40.0 * at, 100.0) for at in range(8)), label="A")
    narrow = a_row(*((12.0 * at, 300.0) for at in range(8)), label="B")
    circles = circles_of(a_map(rows=[wide, narrow]))
    assert_apart(circles)
    assert {round(r, 1) for _, _, r in circles} == {17.2, 5.2}


def test_seats_on_one_spot_are_drawn_beside_each_other() -> None:
    places = [(30.0 * at, 100.0) for at in range(6)]
    circles = circles_of(a_map(rows=[a_row(*places), a_row((60.0, 100.0), (60.1, 100.0), label="B")]))
    assert_apart(circles)
    assert min(r for _, _, r in circles) > 3


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=40, unique=True))
def test_no_circle_covers_another_wherever_seats_are(places: list[tuple[int, int]]) -> None:
    circles = circles_of(a_map(rows=[a_row(*((x * 5.0, y * 5.0) for x, y in places))]))
    assert all(r > 0 for _, _, r in circles)
    assert_apart(circles)


def labels(seat_map: SeatMap) -> list[tuple[float, float, str]]:
    group = drawn(seat_map).find(f".//{SVG}g[@class='plan__labels']")
    assert group is not None
    return [(float(text.get("x") or 0), float(text.get("y") or 0), text.text or "") for text in group]


def test_a_rows_number_stands_at_the_ends_that_the_plan_names() -> None:
    places = ((100.0, 100.0), (130.0, 100.0), (160.0, 100.0))
    at = {place: labels(a_map(rows=[a_row(*places, label_at=place)])) for place in ("start", "end", "both", "nowhere")}
    assert [x < 100 for x, _, _ in at["start"]] == [True]
    assert [x > 160 for x, _, _ in at["end"]] == [True]
    assert (len(at["both"]), at["nowhere"]) == (2, [])


def test_a_tables_number_stands_amid_its_seats_unless_the_plan_has_written_there() -> None:
    around = [(300 + 50 * math.cos(math.tau * at / 8), 200 + 50 * math.sin(math.tau * at / 8)) for at in range(8)]
    table = a_row(*around, label="12")
    ((x, y, text),) = labels(a_map(rows=[table]))
    assert (round(x), round(y), text) == (300, 200, "12")
    written = area("ellipse", x=270, y=170, width=60, height=60, **words("Tisch 12", 300, 200))
    assert labels(a_map(written, rows=[table])) == []


def test_what_stands_outside_of_the_plans_size_is_shown_all_the_same() -> None:
    svg = drawn(a_map(rows=[a_row((-50.0, -20.0), (900.0, 500.0))]))
    x, y, width, height = (float(part) for part in str(svg.get("viewBox")).split())
    assert x < -50
    assert y < -20
    assert x + width > 900
    assert y + height > 500
