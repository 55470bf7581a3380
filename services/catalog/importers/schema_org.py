"""Reads schema.org `Event` JSON-LD: one object, a list, or `@graph`. docs of the fields: services/catalog/README.md.

What schema.org has no field for stands in fields that begin with `onsale:`; a plain file of another system needs only
the few of them that it cannot do without.
"""

from datetime import datetime

from services.catalog.domain import DEFAULT_MAX_PER_ORDER, ClassDraft, EventDraft, Kind, Venue
from services.catalog.importers.document import Node
from services.catalog.importers.money import read_currency, read_price
from services.catalog.importers.times import read_moment, read_time_zone

MAX_EVENTS = 1_000
MAX_CLASSES = 50
MAX_CAPACITY = 1_000_000
# One hold takes at most so many places, in inventory and in orders.
MAX_PER_ORDER = 50
_MAX_TITLE = 200
_KINDS: dict[str, Kind] = {"general": "general", "seated": "seated"}


def looks_like_events(document: object) -> bool:
    """Whether this is JSON-LD and not a seating plan; an object with `zones` is a plan."""
    return not (isinstance(document, dict) and "zones" in document and "@type" not in document)


def read_events(document: object) -> list[EventDraft]:
    """All events of a parsed JSON-LD document; ImportRefused with the path of the first bad field."""
    root = Node(document, "")
    if isinstance(document, dict) and "@graph" in document:
        nodes = [node for node in root.at("@graph").items(at_most=MAX_EVENTS * 5) if _is_event(node)]
    else:
        nodes = root.one_or_many(at_most=MAX_EVENTS)
    if not nodes:
        root.refuse("There is no event in this file.")
    drafts: dict[str, EventDraft] = {}
    for node in nodes:
        if not _is_event(node):
            node.at("@type").refuse("Here belongs “Event” or one of its kinds, such as “MusicEvent”.")
        draft = _event(node)
        if draft.identifier in drafts:
            node.at("identifier").refuse(
                f"The identifier “{draft.identifier}” is there twice. Give each event its own."
            )
        drafts[draft.identifier] = draft
    return list(drafts.values())


def _is_event(node: Node) -> bool:
    types = node.at("@type").one_or_many(at_most=20)
    names = [str(name.value).removeprefix("https://schema.org/").removeprefix("schema:") for name in types]
    return any(name.endswith("Event") or name == "Festival" for name in names)


def _event(node: Node) -> EventDraft:
    location = _location(node.at("location"))
    zone_node = node.at("onsale:timeZone")
    if zone_node.missing:
        zone_node = location.at("onsale:timeZone")
    given_zone = None if zone_node.missing else read_time_zone(zone_node)
    starts_at, time_zone = read_moment(node.at("startDate"), given_zone)
    doors_at, ends_at = (_later(node.at(key), time_zone) for key in ("doorTime", "endDate"))
    if doors_at is not None and doors_at > starts_at:
        node.at("doorTime").refuse("The doors cannot open after the start.")
    if ends_at is not None and ends_at <= starts_at:
        node.at("endDate").refuse("The end must lie after the start.")
    plan = node.at("onsale:seatingPlan")
    plan_name = None if plan.missing else plan.text(at_most=120)
    offers = _offers(node)
    currency, classes = _classes(node, offers, plan_name)
    return EventDraft(
        identifier=_identifier(node),
        path=node.path,
        title=node.at("name").text(at_most=_MAX_TITLE),
        description=node.at("description").text_or("", at_most=20_000, lines=True),
        starts_at=starts_at,
        doors_at=doors_at,
        ends_at=ends_at,
        time_zone=time_zone,
        organiser_name=_organiser(node),
        image=_image(node.at("onsale:image"), "theatre" if plan_name else "hall"),
        venue=_venue(location),
        currency=currency,
        on_sale=node.at("onsale:onSale").yes_or_no(default=True),
        max_per_order=_max_per_order(node, offers),
        plan_name=plan_name,
        classes=classes,
    )


def _identifier(node: Node) -> str:
    """What makes a second import change this event instead of adding another."""
    for key in ("identifier", "@id", "url"):
        field = node.at(key)
        if isinstance(field.value, dict):
            field = field.at("value")
        if not field.missing:
            return field.text(at_most=300)
    return node.at("identifier").refuse(
        "The event has neither `identifier` nor `@id` nor `url`. Give it one: with it a second import changes this event "
        "instead of adding another."
    )


def _later(node: Node, time_zone: str) -> datetime | None:
    return None if node.missing else read_moment(node, time_zone)[0]


def _location(node: Node) -> Node:
    for place in node.one_or_many(at_most=20):
        if isinstance(place.value, dict) and place.value.get("@type") != "VirtualLocation":
            return place
    return node.refuse("Here belongs a `Place` with `name` and `address`: tickets are for places that one can go to.")


def _venue(place: Node) -> Venue:
    address = place.at("address")
    if address.missing or isinstance(address.value, str):
        address.refuse("Here belongs a `PostalAddress` with at least `addressLocality` (the city).")
    country = address.at("addressCountry")
    if isinstance(country.value, dict):
        country = country.at("name")
    return Venue(
        name=place.at("name").text(at_most=_MAX_TITLE),
        street=address.at("streetAddress").text_or("", at_most=200),
        city=address.at("addressLocality").text(at_most=100),
        country=country.text_or("", at_most=60),
    )


def _organiser(node: Node) -> str:
    organisers = node.at("organizer").one_or_many(at_most=20)
    if not organisers:
        node.at("organizer").refuse("The organiser is missing. Buyers must know whose ticket they buy.")
    first = organisers[0]
    return (first if isinstance(first.value, str) else first.at("name")).text(at_most=_MAX_TITLE)


def _image(node: Node, default: str) -> str:
    name = node.text_or(default, at_most=40)
    if not name.replace("-", "").isalnum() or not name.isascii() or not name.islower():
        node.refuse(f"“{name}” is not the key of a drawing. Write small letters and hyphens, such as “open-air”.")
    return name


def _offers(node: Node) -> list[Node]:
    """The offers of an event, those inside an AggregateOffer among them."""
    offers: list[Node] = []
    for offer in node.at("offers").one_or_many(at_most=MAX_CLASSES):
        if offer.at("@type").value == "AggregateOffer":
            inner = offer.at("offers").one_or_many(at_most=MAX_CLASSES)
            if not inner:
                offer.at("offers").refuse("A range of prices sells nothing. List the offers, each with its own price.")
            outer_currency = offer.at("priceCurrency")
            offers.extend(_with_currency(item, outer_currency) for item in inner)
        else:
            offers.append(offer)
    if not offers:
        node.at("offers").refuse("There is nothing to sell. Add at least one `Offer` with name, price and currency.")
    if len(offers) > MAX_CLASSES:
        node.at("offers").refuse(f"There are {len(offers)} offers; at most {MAX_CLASSES} ticket classes are taken.")
    return offers


def _with_currency(offer: Node, currency: Node) -> Node:
    return Node({"priceCurrency": currency.value} | offer.mapping(), offer.path)


def _classes(event: Node, offers: list[Node], plan_name: str | None) -> tuple[str, tuple[ClassDraft, ...]]:
    currency: str | None = None
    classes: dict[str, ClassDraft] = {}
    for offer in offers:
        offered_in = read_currency(offer.at("priceCurrency"))
        if currency is not None and offered_in != currency:
            offer.at("priceCurrency").refuse(f"One event has one currency, and the first offer is in {currency}.")
        currency = offered_in
        cls = _class(event, offer, currency, plan_name, alone=len(offers) == 1)
        if cls.name in classes:
            offer.at("name").refuse(f"The class “{cls.name}” is there twice. Give each class its own name.")
        classes[cls.name] = cls
    return currency or "", tuple(classes.values())


def _class(event: Node, offer: Node, currency: str, plan_name: str | None, *, alone: bool) -> ClassDraft:
    kind_node, capacity_node = offer.at("onsale:kind"), _capacity_node(event, offer, alone=alone)
    # With a plan and no word on capacity, an offer sells the seats of its category.
    by_plan = "seated" if plan_name is not None and capacity_node.missing else "general"
    kind = _KINDS.get(kind_node.text_or(by_plan, at_most=20))
    if kind is None:
        kind_node.refuse("Here belongs “general” (places without numbers) or “seated” (seats of a seating plan).")
    if kind == "seated" and plan_name is None:
        event.at("onsale:seatingPlan").refuse(
            "The event has seated classes; name the seating plan that has their seats."
        )
    if kind == "general" and capacity_node.missing:
        offer.at("inventoryLevel").refuse("The capacity is missing: how many places may be sold in this class?")
    capacity = None if capacity_node.missing else capacity_node.whole(at_least=1, at_most=MAX_CAPACITY)
    return ClassDraft(
        path=offer.path,
        name=_class_name(offer, alone=alone),
        description=offer.at("description").text_or("", at_most=500) or None,
        kind=kind,
        price_minor=read_price(offer.at("price"), currency),
        capacity=capacity,
        colour=offer.at("onsale:colour").colour(),
    )


def _class_name(offer: Node, *, alone: bool) -> str:
    """A seated class is named as the category of its seats: `onsale:seatingCategory`, or simply `name`."""
    category = offer.at("onsale:seatingCategory")
    if not category.missing:
        return category.text(at_most=80)
    name = offer.at("name")
    return name.text_or("Ticket", at_most=80) if alone else name.text(at_most=80)


def _capacity_node(event: Node, offer: Node, *, alone: bool) -> Node:
    """Where the capacity stands: `onsale:capacity`, `inventoryLevel`, or the event's own if there is one class."""
    candidates = [offer.at("onsale:capacity"), offer.at("inventoryLevel")]
    if alone and event.at("onsale:seatingPlan").missing:
        candidates.append(event.at("maximumAttendeeCapacity"))
    for node in candidates:
        if not node.missing:
            return node.at("value") if isinstance(node.value, dict) else node
    return candidates[0]


def _max_per_order(event: Node, offers: list[Node]) -> int:
    """`onsale:maxPerOrder`, or the smallest `eligibleQuantity` of the offers, or 10."""
    own = event.at("onsale:maxPerOrder")
    if not own.missing:
        return own.whole(at_least=1, at_most=MAX_PER_ORDER)
    limits: list[int] = []
    for offer in offers:
        eligible = offer.at("eligibleQuantity")
        if not eligible.missing:
            most = eligible.at("maxValue") if isinstance(eligible.value, dict) else eligible
            if not most.missing:
                limits.append(most.whole(at_least=1, at_most=MAX_PER_ORDER))
    return min(limits, default=DEFAULT_MAX_PER_ORDER)
