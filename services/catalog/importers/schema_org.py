"""Reads schema.org `Event` JSON-LD as sites publish it. docs of the fields: services/catalog/README.md.

What schema.org has no field for stands in fields that begin with `onsale:`; a plain file of another system needs only
the few of them that it cannot do without.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from services.catalog.domain import MAX_CODE_EDITION, EventDraft, EventState, Venue
from services.catalog.importers.document import Node, Reading
from services.catalog.importers.finding import Found, find_events
from services.catalog.importers.offers import (
    Offer,
    Selling,
    read_classes,
    read_max_per_buyer,
    read_max_per_order,
    read_offers,
)
from services.catalog.importers.places import read_location, read_organiser, read_performers, read_venue
from services.catalog.importers.plain_text import read_text, read_text_or
from services.catalog.importers.states import read_event_state
from services.catalog.importers.times import (
    read_door_time,
    read_duration,
    read_moment,
    read_moment_or_day,
    read_moment_unless_day,
    read_time_zone,
    zone_of_country,
)

_MAX_TITLE = 200
_COUNTRY_CODE = 2
_MAX_IDENTIFIER = 300
# Such an `@id` tells apart what is on one page; another page has the same for something else.
_WITHIN_ITS_PAGE = ("#", "_:")
# What a performance has from its series or festival if it does not say it itself. Offers are not among it: whether a ticket of
# the series is for one evening or for all would be a guess.
_INHERITED = frozenset(
    {
        "location",
        "organizer",
        "description",
        "performer",
        "eventStatus",
        "onsale:timeZone",
        "onsale:image",
        "onsale:seatingPlan",
        "onsale:maxPerOrder",
        "onsale:maxPerBuyer",
        "onsale:onSale",
    }
)
Field = Callable[[str], Node]


def looks_like_events(document: object) -> bool:
    """Whether this is JSON-LD and not a seating plan; an object with `zones` is a plan."""
    return not (isinstance(document, dict) and "zones" in document and "@type" not in document)


def read_events(document: object, reading: Reading | None = None) -> list[EventDraft]:
    """All events of a parsed JSON-LD document; ImportRefused with the path of the first bad field.

    `reading` knows afterwards what was passed over."""
    reading = reading or Reading()
    found = find_events(document, reading)
    shared = _shared_ids(found)
    drafts: dict[str, EventDraft] = {}
    for each in found:
        draft = _event(each, shared)
        known = drafts.setdefault(draft.identifier, draft)
        if known is draft:
            continue
        if _same(known, draft):
            each.node.pass_over("the same event once more")
            continue
        each.node.at("identifier").refuse(
            f"The identifier “{draft.identifier}” is there twice. Give each event its own."
        )
    return list(drafts.values())


def _same(one: EventDraft, other: EventDraft) -> bool:
    """Whether these say the same of an event, wherever they stand."""
    return all(
        getattr(one, name) == getattr(other, name) for name in ("title", "starts_at", "venue", "state", "currency")
    ) and [replace(cls, path="") for cls in one.classes] == [replace(cls, path="") for cls in other.classes]


def _event(found: Found, shared: frozenset[str]) -> EventDraft:
    node, at = found.node, _fields(found)
    location = read_location(at("location"))
    state = read_event_state(at("eventStatus"))
    venue = _venue(at, location, state)
    starts_at, time_zone = read_moment(_start(node), _time_zone(at, location, venue))
    previous = _previous_start(node, time_zone)
    plan = at("onsale:seatingPlan")
    offers = _offers(found)
    selling = Selling(node, plan, time_zone, is_alone=len(offers) == 1)
    currency, classes = read_classes(offers, selling)
    organiser = read_organiser(
        at("organizer"), *(offer.at(key) for key in ("seller", "offeredBy") for offer in offers[:1])
    )
    identifier, address = _identity(found, starts_at, shared, organiser)
    return EventDraft(
        identifier=identifier,
        address=address,
        path=node.path,
        title=_title(found),
        description=read_text_or(at("description"), "", at_most=20_000, lines=True),
        starts_at=starts_at,
        doors_at=_doors(node, starts_at, time_zone),
        ends_at=_end(node, starts_at, time_zone),
        time_zone=time_zone,
        organiser_name=organiser,
        image=_image(at("onsale:image"), "theatre" if selling.plan_name else "hall"),
        venue=venue,
        currency=currency,
        on_sale=at("onsale:onSale").yes_or_no(default=True),
        max_per_order=read_max_per_order(at("onsale:maxPerOrder"), offers),
        max_per_buyer=read_max_per_buyer(at("onsale:maxPerBuyer")),
        plan_name=selling.plan_name,
        classes=classes,
        state=state,
        previous_starts_at=previous,
        performers=read_performers(at("performer")),
        code_edition=_code_edition(at("onsale:codeEdition")),
    )


def _code_edition(node: Node) -> int:
    return 1 if node.missing else node.whole(at_least=1, at_most=MAX_CODE_EDITION)


def _offers(found: Found) -> list[Offer]:
    own = found.node.at("offers")
    if own.empty and any(not parent.at("offers").empty for parent in found.parents):
        own.refuse(
            "This performance has no offers, and what it is a part of has some. Whether those are for one evening or for all "
            "would be a guess: give each performance its own."
        )
    return read_offers(own)


def _fields(found: Found) -> Field:
    """The fields of an event: its own, or those of what it is a part of."""

    def at(key: str) -> Node:
        own = found.node.at(key)
        if not own.missing or key not in _INHERITED:
            return own
        others = (parent.at(key) for parent in found.parents)
        return next((each for each in others if not each.missing), own)

    return at


def _title(found: Found) -> str:
    own = found.node.at("name")
    nearest = next((each for each in (parent.at("name") for parent in found.parents) if not each.empty), own)
    return read_text(nearest if own.missing else own, at_most=_MAX_TITLE)


def _start(node: Node) -> Node:
    """When it starts. Several starts are several evenings, and whether a ticket is for one of them or for all is not said."""
    starts = node.at("startDate").one_or_many(at_most=1_000)
    if len({str(each.value) for each in starts}) > 1:
        node.at("startDate").refuse("The event starts several times. Give each performance an event of its own.")
    return starts[0] if starts else node.at("startDate")


def _time_zone(at: Field, location: Node | None, venue: Venue | None) -> str | None:
    """The zone that is named, or that of the country if it has only one."""
    node = at("onsale:timeZone")
    if node.missing and location is not None and isinstance(location.value, dict):
        node = location.at("onsale:timeZone")
    if not node.missing:
        return read_time_zone(node)
    return zone_of_country(venue.country) if venue is not None and len(venue.country) == _COUNTRY_CODE else None


def _venue(at: Field, location: Node | None, state: EventState) -> Venue | None:
    if location is not None:
        return read_venue(location)
    if state == "moved_online":
        return None  # what was known of its place stays known
    return at("location").refuse(
        "Here belongs a `Place` with `name` and `address`: tickets are for places that one can go to."
    )


def _previous_start(node: Node, time_zone: str) -> datetime | None:
    """When it was to start before it was moved, last. A day without a time is what the catalogue knows better."""
    fields = [each for each in node.at("previousStartDate").one_or_many(at_most=20) if not each.empty]
    return max((moment for each in fields if (moment := read_moment_unless_day(each, time_zone))), default=None)


def _doors(node: Node, starts_at: datetime, time_zone: str) -> datetime | None:
    field = node.at("doorTime").first()
    doors_at = None if field.empty else read_door_time(field, starts_at, time_zone)
    if doors_at is not None and doors_at > starts_at:
        field.refuse("The doors cannot open after the start.")
    return doors_at


def _end(node: Node, starts_at: datetime, time_zone: str) -> datetime | None:
    field = node.at("endDate").first()
    if field.empty:
        duration = node.at("duration").first()
        length = None if duration.empty else read_duration(duration)
        return None if length is None else starts_at + length
    ends_at = read_moment_or_day(field, time_zone, ends=True)
    if ends_at == starts_at:
        field.pass_over("the same as the start, so no end")
        return None
    if ends_at is not None and ends_at < starts_at:
        field.refuse("The end must lie after the start.")
    return ends_at


def _shared_ids(found: list[Found]) -> frozenset[str]:
    """`@id`s that several performances have: sites that number pages and not evenings."""
    starts: dict[str, set[str]] = {}
    for each in found:
        name = each.node.at("@id").value
        if isinstance(name, str):
            starts.setdefault(name, set()).add(str(each.node.at("startDate").value))
    return frozenset(name for name, values in starts.items() if len(values) > 1)


def _identity(found: Found, starts_at: datetime, shared: frozenset[str], organiser: str) -> tuple[str, str | None]:
    """What makes a second import change this event instead of adding another: its own number, or its page and its start.

    Many evenings may have one page, so an address alone tells them not apart; then it is the second value."""
    node = found.node
    for key in ("identifier", "@id", "url"):
        field = node.at(key).first()
        if isinstance(field.value, dict):
            field = field.at("value")
        if field.empty:
            continue
        name = _scoped(field, node, organiser) if key == "identifier" else _as_text(field)
        if key == "@id" and name.startswith(_WITHIN_ITS_PAGE):
            continue
        if key == "url" or (key == "@id" and name in shared):
            return f"{name} {starts_at.isoformat()}", name
        return name, None
    for parent in found.parents:
        for key in ("identifier", "@id", "url"):
            field = parent.at(key).first()
            if not field.empty and not isinstance(field.value, dict):
                name = _as_text(field)
                if name.startswith(_WITHIN_ITS_PAGE):
                    continue
                return f"{name} {starts_at.isoformat()}", name
    return node.at("identifier").refuse(
        "The event has neither `identifier` nor `url`, nor an `@id` that is its own in all the web. "
        "Give it one: with it a second import changes this event "
        "instead of adding another."
    )


def _scoped(field: Node, event: Node, organiser: str) -> str:
    """An identifier. A plain number is a row of some site's own table, and every site has a seventeen: it gets its site's name."""
    name = _as_text(field)
    return f"{_site_of(event) or organiser} {name}" if isinstance(field.value, int) else name


def _site_of(node: Node) -> str | None:
    """The host of the event's own page."""
    address = node.at("url").first().value
    return urlsplit(address).hostname if isinstance(address, str) else None


def _as_text(node: Node) -> str:
    """An identifier: text, or a whole number."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return str(node.value)
    return node.text(at_most=_MAX_IDENTIFIER)


def _image(node: Node, default: str) -> str:
    name = node.text_or(default, at_most=40)
    if not name.replace("-", "").isalnum() or not name.isascii() or not name.islower():
        node.refuse(f"“{name}” is not the key of a drawing. Write small letters and hyphens, such as “open-air”.")
    return name
