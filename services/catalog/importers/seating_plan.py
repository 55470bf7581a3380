"""Reads the public pretix seating-plan format: zones hold rows hold seats, each positioned from what holds it.

Taken: every version of the format so far (areas with `shape`, and older ones with plain width and height). Fields that
catalog has no use for (`uuid`, `radius`, `start_direction`, editors' own) are ignored.
"""

import math

from services.catalog.domain import Area, Category, ImportRefused, Row, Seat, SeatingPlan, Zone
from services.catalog.importers.document import Node

MAX_SEATS = 50_000
_MAX_COORDINATE = 1_000_000.0
_MARGIN = 30.0
_PALETTE = ("#4c6ef5", "#e8590c", "#2b8a3e", "#ae3ec9", "#c2255c", "#0c8599", "#e67700", "#5f3dc4")
_FULL_TURN = 360.0

Point = tuple[float, float]


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
        colour = item.at("color").colour() or _PALETTE[index % len(_PALETTE)]
        categories[name] = Category(name, colour)
    return tuple(categories.values())


def _zone(node: Node, index: int, categories: set[str], seen: dict[str, str]) -> Zone:
    name = node.at("name").text_or("", at_most=80)
    offset = _position(node.at("position"), (0.0, 0.0))
    rows = tuple(
        _row(item, f"{index}-{row_index}", name, offset, categories, seen)
        for row_index, item in enumerate(node.at("rows").items(at_most=2_000))
    )
    areas_node = node.at("areas")
    areas = () if areas_node.missing else tuple(_area(item, offset) for item in areas_node.items(at_most=500))
    return Zone(str(index), name, areas, rows)


def _row(node: Node, row_id: str, zone_name: str, offset: Point, categories: set[str], seen: dict[str, str]) -> Row:
    number = node.at("row_number").text_or("", at_most=20)
    row_words = _words(node.at("row_label"), number, "Row")
    position = node.at("position")
    start = offset if position.missing else _position(position, offset)
    seats: list[Seat] = []
    for item in node.at("seats").items(at_most=2_000):
        seat_number = item.at("seat_number").text(at_most=20)
        seat_words = _words(node.at("seat_label"), seat_number, "Seat")
        label = ", ".join(words for words in (zone_name, row_words, seat_words) if words)
        x, y = _position(item.at("position"), start)
        seats.append(Seat(_seat_guid(item, seen), label, seat_number, x, y, _category(item, categories)))
    return Row(row_id, number, tuple(seats))


def _words(label: Node, number: str, noun: str) -> str:
    """`Row C`, `Seat 7`; or the plan's own words, in which %s stands for the number."""
    if not number and label.missing:
        return ""
    template = label.text_or(f"{noun} %s", at_most=60)
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


def _position(node: Node, offset: Point) -> Point:
    return _plus(offset, (_coordinate(node.at("x")), _coordinate(node.at("y"))))


def _coordinate(node: Node) -> float:
    return node.number(at_least=-_MAX_COORDINATE, at_most=_MAX_COORDINATE)


def _length(node: Node) -> float:
    return node.number(at_least=0.0, at_most=_MAX_COORDINATE)


def _plus(left: Point, right: Point) -> Point:
    return round(left[0] + right[0], 2), round(left[1] + right[1], 2)


def _turned(point: Point, degrees: float) -> Point:
    """The point turned clockwise about the origin (y points down, as on a screen)."""
    angle = math.radians(degrees)
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _area(node: Node, offset: Point) -> Area:
    place = node.at("position")
    origin = offset if place.missing else _position(place, offset)
    rotation_node = node.at("rotation")
    rotation = 0.0
    if not rotation_node.missing:
        rotation = rotation_node.number(at_least=-_FULL_TURN, at_most=_FULL_TURN) % _FULL_TURN
    shape = node.at("shape").text_or("rectangle", at_most=20)
    text_node = node.at("text")
    # Older plans write the words themselves, newer ones an object with position and size.
    words_node = text_node.at("text") if isinstance(text_node.value, dict) else text_node
    text = words_node.text_or("", at_most=80) or None
    colour, border = node.at("color").colour(), node.at("border_color").colour()
    if shape == "polygon":
        points = tuple(
            _plus(origin, _turned(_position(point, (0.0, 0.0)), rotation))
            for point in node.at("polygon").at("points").items(at_most=500)
        )
        if len(points) < 3:
            node.at("polygon").at("points").refuse("A polygon needs at least three points.")
        left, top, width, height = _box(points)
        return Area("polygon", left, top, width, height, 0.0, text, colour, border, points)
    if shape in {"circle", "ellipse"}:
        radius_x, radius_y = _radii(node, shape)
        corner = _plus(origin, (-radius_x, -radius_y))
        return Area("ellipse", *corner, radius_x * 2, radius_y * 2, rotation, text, colour, border, ())
    if shape == "text":
        return _text_area(text_node, words_node, origin, rotation, colour)
    if shape != "rectangle":
        node.at("shape").refuse(f"The shape “{shape}” is none of polygon, rectangle, ellipse, circle and text.")
    sides = node if node.at("rectangle").missing else node.at("rectangle")
    width, height = _length(sides.at("width")), _length(sides.at("height"))
    # The plan turns it about its corner, an Area about its middle.
    middle = _plus(origin, _turned((width / 2, height / 2), rotation))
    corner = _plus(middle, (-width / 2, -height / 2))
    return Area("rectangle", *corner, width, height, rotation, text, colour, border, ())


def _text_area(text: Node, words: Node, origin: Point, rotation: float, colour: str | None) -> Area:
    """Words alone, centred on their position; the box is estimated from their number and size."""
    line = words.text(at_most=80)
    size, at = 16.0, (0.0, 0.0)
    if isinstance(text.value, dict):
        size_node, position = text.at("size"), text.at("position")
        size = 16.0 if size_node.missing else size_node.number(at_least=1.0, at_most=1_000.0)
        at = at if position.missing else _position(position, at)
        colour = text.at("color").colour() or colour
    width, height = round(len(line) * size * 0.62, 2), round(size * 1.4, 2)
    corner = _plus(_plus(origin, _turned(at, rotation)), (-width / 2, -height / 2))
    return Area("text", *corner, width, height, rotation, line, colour, None, ())


def _radii(node: Node, shape: str) -> Point:
    if shape == "circle":
        radius = _length(node.at("circle").at("radius"))
        return radius, radius
    radius_node = node.at("ellipse").at("radius")
    return _length(radius_node.at("x")), _length(radius_node.at("y"))


def _box(points: tuple[Point, ...]) -> tuple[float, float, float, float]:
    left, top = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top
    return left, top, round(width, 2), round(height, 2)


def _size(node: Node, zones: tuple[Zone, ...]) -> Point:
    """What the plan says, or (older plans say nothing) what its seats and areas need."""
    if not node.missing:
        width, height = _length(node.at("width")), _length(node.at("height"))
        if width <= 0 or height <= 0:
            node.refuse("A plan needs a width and a height above 0.")
        return width, height
    corners = [(seat.x, seat.y) for zone in zones for row in zone.rows for seat in row.seats]
    corners += [(area.x + area.width, area.y + area.height) for zone in zones for area in zone.areas]
    width, height = (round(max(axis) + _MARGIN, 2) for axis in zip(*corners, strict=True))
    if width <= 0 or height <= 0:
        raise ImportRefused("zones", "All seats lie left of or above the plan's corner. Move them, or give a size.")
    return width, height
