import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain import Area, ImportRefused, Lettering, SeatingPlan
from services.catalog.importers.colours import hex_colour
from services.catalog.importers.reading import read_file
from services.catalog.tests.examples import as_file, outcome, plan

REMOVED = object()
SEAT = ("zones", 0, "rows", 1, "seats", 0)


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """The example plan with one field replaced, or removed."""
    document: Any = copy.deepcopy(plan())
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if value is REMOVED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return dict(document)


def read(document: object) -> SeatingPlan:
    found = read_file(as_file(document))
    assert isinstance(found, SeatingPlan)
    return found


def test_positions_of_zone_row_and_seat_add_up() -> None:
    seat = read(plan()).zones[0].rows[1].seats[1]
    assert (seat.seat_id, seat.x, seat.y) == ("B2", 10 + 5 + 50, 20 + 30 + 0.5)


def test_a_seat_is_labelled_by_zone_row_and_number() -> None:
    row = read(plan()).zones[0].rows[0]
    assert (row.label, row.seats[0].number, row.seats[0].label) == ("A", "1", "Main, Row A, Seat 1")


def test_the_plans_own_words_for_row_and_seat_are_used() -> None:
    document = plan()
    document["zones"][0]["rows"][0] |= {"row_label": "Reihe %s", "seat_label": "Platz %s"}
    assert read(document).seats()[0].label == "Main, Reihe A, Platz 1"


@pytest.mark.parametrize(
    ("path", "value", "bad_field", "words"),
    [
        ((*SEAT, "seat_guid"), REMOVED, "zones[0].rows[1].seats[0].seat_guid", "Here belongs text"),
        ((*SEAT, "seat_guid"), "A2", "zones[0].rows[1].seats[0].seat_guid", "first as zones[0].rows[0].seats[1]"),
        ((*SEAT, "seat_guid"), 7, "zones[0].rows[1].seats[0].seat_guid", "text, but this is 7"),
        ((*SEAT, "seat_guid"), "a\x00b", "zones[0].rows[1].seats[0].seat_guid", "control characters"),
        ((*SEAT, "category"), "Loge", "zones[0].rows[1].seats[0].category", "“Circle”, “Stalls”"),
        ((*SEAT, "position", "x"), "5", "zones[0].rows[1].seats[0].position.x", "a number"),
        ((*SEAT, "position", "y"), 10**9, "zones[0].rows[1].seats[0].position.y", "is not between"),
        ((*SEAT, "position"), REMOVED, "zones[0].rows[1].seats[0].position", "an object, but this is null"),
        (("zones", 0, "rows", 0, "seats"), {}, "zones[0].rows[0].seats", "a list, but this is an object"),
        (("zones", 0, "position"), REMOVED, "zones[0].position", "an object"),
        (("zones",), [], "zones", "no seat"),
        (("name",), " ", "name", "empty"),
        (("categories", 1, "name"), "Stalls", "categories[1].name", "twice"),
        (("categories", 0, "color"), 7, "categories[0].color", "text, but this is 7"),
        (("zones", 0, "rows", 0, "row_number_position"), "left", "zones[0].rows[0].row_number_position", "“both”"),
        (
            ("zones", 0, "areas"),
            [{"shape": "circle", "circle": {"radius": -1}}],
            "zones[0].areas[0].circle.radius",
            "between",
        ),
        (("size", "width"), 0, "size", "above 0"),
        (("zones", 0, "areas"), [{"shape": "star"}], "zones[0].areas[0].shape", "none of polygon"),
    ],
)
def test_a_bad_plan_is_refused_with_the_path_of_the_field(
    path: tuple[str | int, ...], value: object, bad_field: str, words: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_file(as_file(changed(path, value)))
    assert refused.value.path == bad_field
    assert words in refused.value.sentence


def test_an_older_plan_without_size_gets_the_size_that_its_seats_need() -> None:
    document = changed(("size",), REMOVED)
    document["zones"][0]["areas"] = [{"width": 300, "height": 10, "position": {"x": 0, "y": 0}, "text": "STAGE"}]
    found = read(document)
    assert (found.width, found.height) == (340.0, 80.5)
    assert (found.zones[0].areas[0].shape, found.zones[0].areas[0].text) == ("rectangle", "STAGE")


def test_areas_are_placed_from_the_corner_of_the_plan_and_turn_about_their_middle() -> None:
    position = {"x": 100, "y": 50}
    areas = [
        {
            "shape": "circle",
            "position": position,
            "circle": {"radius": 10},
            "text": {"text": "Bar", "position": position},
        },
        {"shape": "rectangle", "position": position, "rectangle": {"width": 40, "height": 20}, "rotation": 90},
        {
            "shape": "polygon",
            "position": position,
            "polygon": {"points": [{"x": 0, "y": 0}, {"x": 9, "y": 0}, {"x": 0, "y": 6}]},
        },
        {"shape": "text", "position": position, "text": {"text": "Exit", "position": {"x": 0, "y": 0}, "size": 10}},
    ]
    document = plan()
    document["zones"][0]["areas"] = areas
    circle, rectangle, polygon, text = read(document).zones[0].areas
    assert (circle.shape, circle.x, circle.y, circle.width, circle.height) == ("ellipse", 100, 60, 20, 20)
    # Turned by 90 degrees about (110, 70) its middle lies at (100, 90).
    assert (rectangle.x, rectangle.y, rectangle.rotation) == (80, 80, 90)
    assert list(polygon.points) == [(110, 70), (119, 70), (110, 76)]
    assert (polygon.x, polygon.y, polygon.width, polygon.height) == (110, 70, 9, 6)
    assert (text.text, text.x + text.width / 2, text.y + text.height / 2) == ("Exit", 110, 70)


def areas_of(*areas: dict[str, Any]) -> tuple[Area, ...]:
    document = plan()
    document["zones"][0]["areas"] = list(areas)
    return read(document).zones[0].areas


def test_a_text_stands_where_the_plan_says_and_turns_with_its_shape() -> None:
    text = {"text": "Bar", "position": {"x": 30, "y": 10}, "size": 24, "color": "#000000"}
    at = {"position": {"x": 90, "y": 30}, "rotation": 90, "text": text}
    points = [{"x": 0, "y": 0}, {"x": 60, "y": 0}, {"x": 60, "y": 20}]
    shapes: tuple[dict[str, Any], ...] = (
        {"shape": "rectangle", "rectangle": {"width": 60, "height": 20}},
        {"shape": "circle", "circle": {"radius": 40}},
        {"shape": "ellipse", "ellipse": {"radius": {"x": 40, "y": 20}}},
        {"shape": "polygon", "polygon": {"points": points}},
        {"shape": "text"},
    )
    for area in areas_of(*({**shape, **at} for shape in shapes)):
        # (30, 10) turned by 90 degrees clockwise about the area's position, which lies at (100, 50) with its zone's.
        assert area.lettering == Lettering(90.0, 80.0, 24.0, 90.0, "#000000"), area.shape


def test_a_text_without_a_size_has_the_formats_own_and_an_older_one_no_place_of_its_own() -> None:
    position = {"x": 0, "y": 0}
    new, old = areas_of(
        {"shape": "circle", "circle": {"radius": 9}, "text": {"text": "Bar", "position": position}},
        {"width": 90, "height": 10, "position": position, "text": "STAGE"},
    )
    assert new.lettering is not None
    assert (new.lettering.size, new.lettering.colour) == (16.0, None)
    assert (old.text, old.lettering) == ("STAGE", None)


def test_an_area_of_which_the_schema_asks_nothing_is_drawn_as_far_as_it_says_something() -> None:
    origin = {"x": 0, "y": 0}
    words, line, turned, long = areas_of(
        {},
        {"text": {"text": "Lift", "position": {"x": 1, "y": 2}}},
        {"shape": "text"},
        {"shape": "polygon", "polygon": {"points": []}},
        {"shape": "polygon", "polygon": {"points": [origin, {"x": 5, "y": 5}]}, "border_color": "red"},
        {"shape": "rectangle", "rectangle": {"width": 4, "height": 4}, "rotation": -765.5},
        {"shape": "text", "text": {"text": "word " * 90, "position": origin}},
    )
    assert (words.shape, words.text) == ("text", "Lift")
    assert (line.points, line.border_colour) == (((10, 20), (15, 25)), "#ff0000")
    assert turned.rotation == 314.5
    assert long.text == ("word " * 90).strip()


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("#ABC", "#aabbcc"),
        ("white", "#ffffff"),
        ("rgb(1 2 3 / 50%)", "#01020380"),
        ("hsl(120, 50%, 50%)", "#40bf40"),
        ("transparent", "#00000000"),
        ("none", "#00000000"),
        ("currentColor", None),
        ("url(https://evil.test/x)", None),
        ("lab(50% 40 59.5)", None),
        ("rgb(1e999, 0, 0)", "#ff0000"),
        ('"/><script>', None),
        ("", None),
    ],
)
def test_every_colour_of_css_becomes_digits_and_what_is_none_falls_back(written: str, read_as: str | None) -> None:
    assert hex_colour(written) == read_as
    (area,) = areas_of({"width": 9, "height": 9, "color": written, "border_color": written})
    assert (area.colour, area.border_colour) == (read_as, read_as)


def test_a_category_without_a_colour_that_can_be_seen_gets_one_of_ours() -> None:
    for written in ("url(evil)", "transparent", ""):
        colour = read(changed(("categories", 0, "color"), written)).categories[0].colour
        assert colour == "#4c6ef5", written
    assert read(changed(("categories", 0, "color"), "#11223344")).categories[0].colour == "#112233"


@pytest.mark.parametrize(
    ("row", "name", "label"),
    [
        ({"row_number": "7", "row_label": "Tisch %s", "seat_label": "Stuhl %s"}, "Tisch 7", "Main, Tisch 7, Stuhl 1"),
        ({"row_number": "7", "row_label": "Loge Rosa"}, "Loge Rosa", "Main, Loge Rosa, Seat 1"),
        ({"row_number": "", "row_label": None, "seat_label": "Sofa"}, "", "Main, Sofa"),
        (
            {"row_number": "Familie Müller-Lüdenscheidt und Freunde"},
            "Row Familie Müller-Lüdenscheidt und Freunde",
            None,
        ),
    ],
)
def test_a_row_or_table_is_called_as_the_plan_calls_it(row: dict[str, Any], name: str, label: str | None) -> None:
    document = plan()
    document["zones"][0]["rows"][0] |= row
    found = read(document).zones[0].rows[0]
    assert found.name == name
    assert label is None or found.seats[0].label == label


def test_seats_without_numbers_are_distinguished_by_their_place_in_the_row() -> None:
    document = plan()
    for seat in document["zones"][0]["rows"][0]["seats"]:
        seat["seat_number"] = ""
    assert [seat.label for seat in read(document).zones[0].rows[0].seats] == [
        "Main, Row A, Seat 1",
        "Main, Row A, Seat 2",
    ]


def test_a_rows_number_is_painted_where_the_plan_says() -> None:
    for said, place in (("start", "start"), ("end", "end"), ("both", "both"), (None, "nowhere")):
        document = plan()
        document["zones"][0]["rows"][0]["row_number_position"] = said
        assert [row.label_at for row in read(document).zones[0].rows] == [place, "both"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "text", "name"]), inner),
    max_leaves=6,
)
_PATHS: list[tuple[str | int, ...]] = [
    SEAT,
    (*SEAT, "seat_guid"),
    (*SEAT, "position"),
    (*SEAT, "position", "x"),
    (*SEAT, "category"),
    ("zones", 0),
    ("zones", 0, "areas"),
    ("zones", 0, "rows", 0),
    ("size",),
    ("name",),
    ("categories",),
    ("categories", 0, "color"),
]


@given(path=st.sampled_from(_PATHS), value=_JSON)
def test_whatever_stands_in_a_field_it_is_read_or_refused_with_a_path(
    path: tuple[str | int, ...], value: object
) -> None:
    found = outcome(lambda: read(changed(path, value)))
    if isinstance(found, ImportRefused):
        assert found.path
        assert found.sentence.endswith(".")
    else:
        assert all(math.isfinite(seat.x) and math.isfinite(seat.y) for seat in found.seats())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_file(content)
    assert refused.value.sentence.endswith(".")
