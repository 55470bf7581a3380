"""Reads the public pretix seating-plan format: zones hold rows hold seats, each positioned from what holds it.

Taken: every version of the format so far (areas with `shape`, and older ones with plain width and height). Fields that
catalog has no use for (`uuid`, `radius`, `start_direction`, editors' own) are ignored. A seat's label is made here, once:
pages, tickets and mails all say it as it is.
"""

from services.catalog.domain import Category, ImportRefused, LabelPlace, Row, Seat, SeatingPlan, Zone
from services.catalog.importers.areas import colour_of, read_areas
from services.catalog.importers.colours import opaque
from services.catalog.importers.document import Node
from services.catalog.importers.positions import Point, length, position

MAX_SEATS = 50_000
_LONGEST_NUMBER = 80
_MARGIN = 30.0
_PALETTE = ("#4c6ef5", "#e8590c", "#2b8a3e", "#ae3ec9", "#c2255c", "#0c8599", "#e67700", "#5f3dc4")
_LABEL_PLACES: dict[str | None, LabelPlace] = {"start": "start", "end": "end", "both": "both", None: "nowhere"}


def read_seating_plan(document: object) -> SeatingPlan:
    """The plan in a parsed JSON document; ImportRefused with the path of the first bad field."""
    root = Node(document, "")
    name = root.at("name").text(at_most=120)
    categories = _categories(root.at("categories"))
    seen: dict[str, str] = {}
    zones = tuple(
        _zone(node, index, {category.name for category in categories}, seen)
        for index, node in enumerate(root.at("zones").items(at_most=200))
    )
    if not seen:
        root.at("zones").refuse("The plan has no seat. Without seats there is nothing to reserve; leave the plan out.")
    width, height = _size(root.at("size"), zones)
    return SeatingPlan(name, width, height, zones, categories)


def _categories(node: Node) -> tuple[Category, ...]:
    categories: dict[str, Category] = {}
    for index, item in enumerate(node.items(at_most=50)):
        name = item.at("name").text(at_most=80)
        if name in categories:
            item.at("name").refuse(f"The category “{name}” is there twice. Give each category its own name.")
        colour = opaque(colour_of(item.at("color"))) or _PALETTE[index % len(_PALETTE)]
        categories[name] = Category(name, colour)
    return tuple(categories.values())


def _zone(node: Node, index: int, categories: set[str], seen: dict[str, str]) -> Zone:
    name = node.at("name").text_or("", at_most=80)
    offset = position(node.at("position"), (0.0, 0.0))
    rows = tuple(
        _row(item, f"{index}-{row_index}", name, offset, categories, seen)
        for row_index, item in enumerate(node.at("rows").items(at_most=2_000))
    )
    return Zone(str(index), name, read_areas(node.at("areas"), offset), rows)


def _row(node: Node, row_id: str, zone_name: str, offset: Point, categories: set[str], seen: dict[str, str]) -> Row:
    number = node.at("row_number").text_or("", at_most=_LONGEST_NUMBER)
    row_words = _words(node.at("row_label"), number, "Row")
    place = node.at("position")
    start = offset if place.missing else position(place, offset)
    seats: list[Seat] = []
    for at, item in enumerate(node.at("seats").items(at_most=2_000), start=1):
        # The format allows a seat without a number: its place in the row tells it from its neighbours.
        seat_number = item.at("seat_number").text_or(str(at), at_most=_LONGEST_NUMBER)
        seat_words = _words(node.at("seat_label"), seat_number, "Seat")
        label = ", ".join(words for words in (zone_name, row_words, seat_words) if words)
        x, y = position(item.at("position"), start)
        seats.append(Seat(_seat_guid(item, seen), label, seat_number, x, y, _category(item, categories)))
    return Row(row_id, number, row_words, _label_place(node), tuple(seats))


def _label_place(row: Node) -> LabelPlace:
    """Where the row's number is painted: as the plan says; older plans say nothing, and people look for it at both ends."""
    if "row_number_position" not in row.mapping():
        return "both"
    node = row.at("row_number_position")
    said = None if node.missing else node.text(at_most=20)
    if said not in _LABEL_PLACES:
        node.refuse("Here belongs “start”, “end”, “both” or null.")
    return _LABEL_PLACES[said]


def _words(label: Node, number: str, noun: str) -> str:
    """`Row C`, `Seat 7`; or the plan's own words, in which %s stands for the number."""
    if not number and label.missing:
        return ""
    template = label.text_or(f"{noun} %s", at_most=80)
    return template.replace("%s", number)


def _seat_guid(seat: Node, seen: dict[str, str]) -> str:
    node = seat.at("seat_guid")
    guid = node.text(at_most=100)
    if guid in seen:
        node.refuse(
            f"The seat “{guid}” is there twice, first as {seen[guid]}. Every seat needs a seat_guid of its own."
        )
    if len(seen) >= MAX_SEATS:
        node.refuse(f"The plan has more than {MAX_SEATS:,} seats. Split the house into several plans.")
    seen[guid] = node.path
    return guid


def _category(seat: Node, categories: set[str]) -> str:
    node = seat.at("category")
    name = node.text(at_most=80)
    if name not in categories:
        known = ", ".join(f"“{category}”" for category in sorted(categories)) or "none"
        node.refuse(f"The category “{name}” is not in the plan's list of categories ({known}).")
    return name


def _size(node: Node, zones: tuple[Zone, ...]) -> Point:
    """What the plan says, or (older plans say nothing) what its seats and areas need."""
    if not node.missing:
        width, height = length(node.at("width")), length(node.at("height"))
        if width <= 0 or height <= 0:
            node.refuse("A plan needs a width and a height above 0.")
        return width, height
    corners = [(seat.x, seat.y) for zone in zones for row in zone.rows for seat in row.seats]
    corners += [(area.x + area.width, area.y + area.height) for zone in zones for area in zone.areas]
    width, height = (round(max(axis) + _MARGIN, 2) for axis in zip(*corners, strict=True))
    if width <= 0 or height <= 0:
        raise ImportRefused("zones", "All seats lie left of or above the plan's corner. Move them, or give a size.")
    return width, height
