"""Reads the drawings of a seating plan: what is no seat, but tells people where they are.

The format says: `position` is the corner of a rectangle, the middle of a circle or an ellipse, and where a polygon's and a
text's own coordinates begin; `rotation` turns everything, the text with it, about that point. Its schema asks for none of
these fields: what draws nothing is left out, and only what cannot be meant is refused.
"""

import math
from dataclasses import replace

from services.catalog.domain import Area, Lettering
from services.catalog.importers.colours import hex_colour
from services.catalog.importers.document import Node
from services.catalog.importers.positions import Point, length, number_of, plus, position

_LONGEST_TEXT = 500
_MOST_POINTS = 2_000
# The format's own.
_TEXT_SIZE = 16.0
_MAX_TEXT_SIZE = 10_000.0
# How wide a letter is, and how high a line, in parts of the size of the text.
_LETTER, _LINE = 0.62, 1.4
_FULL_TURN = 360.0


def read_areas(node: Node, offset: Point) -> tuple[Area, ...]:
    """The drawings in a zone that begins at `offset`, in the order in which they are drawn."""
    if node.missing:
        return ()
    return tuple(area for item in node.items(at_most=2_000) if (area := _area(item, offset)) is not None)


def colour_of(node: Node) -> str | None:
    """A colour in hexadecimal digits; None if it is missing or cannot be read: the page then takes a colour of its own."""
    return hex_colour(node.text_or("", at_most=200))


def _area(node: Node, offset: Point) -> Area | None:
    origin = offset if node.at("position").missing else position(node.at("position"), offset)
    turn = number_of(node.at("rotation"), 0.0) % _FULL_TURN
    shape = _shape_of(node)
    words, lettering = _text(node.at("text"), origin, turn)
    if shape == "text":
        return _text_alone(node, words, lettering or Lettering(*origin, _TEXT_SIZE, turn, None))
    drawn = {"polygon": _polygon, "rectangle": _rectangle}.get(shape, _ellipse)(node, origin, turn)
    if drawn is None:
        return _text_alone(node, words, lettering) if lettering else None
    colour, border = colour_of(node.at("color")), colour_of(node.at("border_color"))
    return replace(drawn, text=words, colour=colour, border_colour=border, lettering=lettering if words else None)


def _shape_of(node: Node) -> str:
    named = node.at("shape")
    if named.missing:
        # Older plans know rectangles alone; of newer ones the shape is known by what describes it.
        described = [one for one in ("polygon", "ellipse", "circle") if not node.at(one).missing]
        return described[0] if described else "rectangle"
    shape = named.text(at_most=20)
    if shape not in {"polygon", "rectangle", "ellipse", "circle", "text"}:
        named.refuse(f"The shape “{shape}” is none of polygon, rectangle, ellipse, circle and text.")
    return shape


def _text(node: Node, origin: Point, turn: float) -> tuple[str | None, Lettering | None]:
    """The words, and where they stand: older plans write the words alone, newer ones an object with position and size."""
    if not isinstance(node.value, dict):
        return node.text_or("", at_most=_LONGEST_TEXT) or None, None
    words = node.at("text").text_or("", at_most=_LONGEST_TEXT) or None
    at = (0.0, 0.0) if node.at("position").missing else position(node.at("position"), (0.0, 0.0))
    size = number_of(node.at("size"), _TEXT_SIZE, at_most=_MAX_TEXT_SIZE)
    x, y = plus(origin, _turned(at, turn))
    return words, Lettering(x, y, size if size > 0 else _TEXT_SIZE, turn, colour_of(node.at("color")))


def _text_alone(node: Node, words: str | None, lettering: Lettering) -> Area | None:
    """Words without a shape; the box is estimated from their number and size."""
    if not words:
        return None
    if lettering.colour is None:
        lettering = replace(lettering, colour=colour_of(node.at("color")))
    width, height = round(len(words) * lettering.size * _LETTER, 2), round(lettering.size * _LINE, 2)
    corner = plus((lettering.x, lettering.y), (-width / 2, -height / 2))
    return Area("text", *corner, width, height, lettering.rotation, words, lettering.colour, None, (), lettering)


def _polygon(node: Node, origin: Point, turn: float) -> Area | None:
    points = tuple(
        plus(origin, _turned(position(point, (0.0, 0.0)), turn))
        for point in node.at("polygon").at("points").items(at_most=_MOST_POINTS)
    )
    if len(points) < 2:
        return None
    left, top = min(x for x, _ in points), min(y for _, y in points)
    width, height = max(x for x, _ in points) - left, max(y for _, y in points) - top
    return Area("polygon", left, top, round(width, 2), round(height, 2), 0.0, None, None, None, points, None)


def _ellipse(node: Node, origin: Point, turn: float) -> Area | None:
    if node.at("ellipse").missing:
        radius_x = radius_y = length(node.at("circle").at("radius"))
    else:
        radii = node.at("ellipse").at("radius")
        radius_x, radius_y = length(radii.at("x")), length(radii.at("y"))
    corner = plus(origin, (-radius_x, -radius_y))
    return Area("ellipse", *corner, radius_x * 2, radius_y * 2, turn, None, None, None, (), None)


def _rectangle(node: Node, origin: Point, turn: float) -> Area | None:
    sides = node if node.at("rectangle").missing else node.at("rectangle")
    if sides.at("width").missing and sides.at("height").missing:
        return None
    width, height = length(sides.at("width")), length(sides.at("height"))
    # The plan turns it about its corner, an Area about its middle.
    middle = plus(origin, _turned((width / 2, height / 2), turn))
    corner = plus(middle, (-width / 2, -height / 2))
    return Area("rectangle", *corner, width, height, turn, None, None, None, (), None)


def _turned(point: Point, degrees: float) -> Point:
    """The point turned clockwise about the origin (y points down, as on a screen)."""
    angle = math.radians(degrees)
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
