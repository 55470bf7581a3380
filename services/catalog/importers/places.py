"""Where an event is, and who holds it."""

from services.catalog.domain import Venue
from services.catalog.importers.document import Node
from services.catalog.importers.finding import is_virtual
from services.catalog.importers.plain_text import read_text, read_text_or

MAX_NAME = 200
MAX_PERFORMERS = 200
_MERE_TYPES = ("Organization", "Person", "PerformingGroup", "MusicGroup")


def read_location(node: Node) -> Node | None:
    """The place that one can go to, the first of several; None if there is only an address on the web, or nothing."""
    chosen: Node | None = None
    for place in node.one_or_many(at_most=20):
        if place.empty:
            continue
        if is_virtual(place):
            place.pass_over("an address on the web")
        elif chosen is None:
            chosen = place
        else:
            place.pass_over("one place is enough")
    return chosen


def read_venue(place: Node) -> Venue:
    """A `Place` with its address, a `PostalAddress` alone, or where it is in words. What is only words is taken as such."""
    if isinstance(place.value, str):
        return Venue(read_text(place, at_most=MAX_NAME), "", "", "")
    address = place if _is_address(place) else _address_of(place)
    street, city, country = _parts_of(address)
    name = read_text_or(place.at("name"), "", at_most=MAX_NAME) or read_text_or(
        place.at("legalName"), street or city, at_most=MAX_NAME
    )
    if not name:
        place.at("name").refuse("The place has neither a name nor an address. Where do people have to go?")
    return Venue(name, street, city, country)


def _is_address(place: Node) -> bool:
    return any(not place.at(name).empty for name in ("streetAddress", "addressLocality"))


def _address_of(place: Node) -> Node:
    own = place.at("address").first()
    if not own.empty:
        return own
    around = place.at("containedInPlace").first()
    return around.at("address").first() if isinstance(around.value, dict) else own


def _parts_of(address: Node) -> tuple[str, str, str]:
    """Street, city and country. An address that is only words is shown like a street: what of it is the city would be a guess."""
    if address.empty:
        return "", "", ""
    if isinstance(address.value, str):
        return ", ".join(read_text(address, at_most=200, lines=True).split("\n")), "", ""
    country = address.at("addressCountry").first()
    if isinstance(country.value, dict):
        country = country.at("name")
    return (
        read_text_or(address.at("streetAddress"), "", at_most=200),
        read_text_or(address.at("addressLocality"), "", at_most=100)
        or read_text_or(address.at("addressRegion"), "", at_most=100),
        read_text_or(country, "", at_most=60),
    )


def read_organiser(*candidates: Node) -> str:
    """The organiser, whose tickets these are: the first of these fields that names somebody."""
    for node in candidates:
        first = node.first()
        if first.empty:
            continue
        name = first if isinstance(first.value, str) else first.at("name")
        if not name.empty:
            return read_text(name, at_most=MAX_NAME)
    return candidates[0].refuse("The organiser is missing. Buyers must know whose ticket they buy.")


def read_performers(node: Node) -> tuple[str, ...]:
    """The names of those who play; they are searched, and no page of theirs is needed for that."""
    names: list[str] = []
    for performer in node.one_or_many(at_most=MAX_PERFORMERS):
        name = performer.at("name") if isinstance(performer.value, dict) else performer
        # A widespread plugin writes the type alone where nobody is named.
        if not name.empty and name.value not in _MERE_TYPES:
            names.append(read_text(name, at_most=MAX_NAME))
    return tuple(names)
