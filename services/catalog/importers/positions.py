"""Coordinates and lengths of a seating plan, in its own units; y points down, as on a screen."""

from services.catalog.importers.document import Node

_MAX_COORDINATE = 1_000_000.0

Point = tuple[float, float]


def position(node: Node, offset: Point) -> Point:
    """A position that counts from `offset`."""
    return plus(offset, (_coordinate(node.at("x")), _coordinate(node.at("y"))))


def length(node: Node) -> float:
    """A length; 0 is one."""
    return node.number(at_least=0.0, at_most=_MAX_COORDINATE)


def number_of(node: Node, default: float, at_most: float = _MAX_COORDINATE) -> float:
    """Any number, or the default if it is missing."""
    return default if node.missing else node.number(at_least=-at_most, at_most=at_most)


def plus(left: Point, right: Point) -> Point:
    """The sum, to a hundredth."""
    return round(left[0] + right[0], 2), round(left[1] + right[1], 2)


def _coordinate(node: Node) -> float:
    return node.number(at_least=-_MAX_COORDINATE, at_most=_MAX_COORDINATE)
