"""What an event sells: offers become ticket classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.catalog.domain import DEFAULT_MAX_PER_ORDER, Availability, ClassDraft, Kind
from services.catalog.importers.document import Node
from services.catalog.importers.finding import kinds_of
from services.catalog.importers.money import read_currency, read_price
from services.catalog.importers.plain_text import read_text, read_text_or
from services.catalog.importers.states import read_availability, read_sale_window

MAX_CLASSES = 50
MAX_CAPACITY = 1_000_000
# One hold takes at most so many places, in inventory and in orders.
MAX_PER_ORDER = 50
MAX_PER_BUYER = 1000
_KINDS: Mapping[str, Kind] = {"general": "general", "seated": "seated"}
# What the offers of a range of prices have in common is written once, at the range.
_SHARED = frozenset(
    {"priceCurrency", "availability", "validFrom", "validThrough", "availabilityStarts", "availabilityEnds"}
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer, and the range of prices in which it stands, if it does."""

    node: Node
    around: Node | None = None

    @property
    def path(self) -> str:
        return self.node.path

    def at(self, key: str) -> Node:
        """The field of that name: the offer's own, or that of the range."""
        own = self.node.at(key)
        return self.around.at(key) if own.empty and self.around is not None and key in _SHARED else own


@dataclass(frozen=True, slots=True)
class Selling:
    """What the classes of one event have in common."""

    event: Node
    plan: Node
    time_zone: str
    is_alone: bool

    @property
    def plan_name(self) -> str | None:
        return None if self.plan.missing else self.plan.text(at_most=120)


def read_offers(node: Node) -> list[Offer]:
    """The offers of an event, those of a range of prices among them."""
    offers: list[Offer] = []
    for each in node.one_or_many(at_most=MAX_CLASSES):
        if "aggregateoffer" in kinds_of(each.value):
            offers.extend(_offers_of_range(each))
        else:
            offers.append(Offer(each))
    if not offers:
        node.refuse("There is nothing to sell. Add at least one `Offer` with name, price and currency.")
    if len(offers) > MAX_CLASSES:
        node.refuse(f"There are {len(offers)} offers; at most {MAX_CLASSES} ticket classes are taken.")
    return offers


def _offers_of_range(around: Node) -> list[Offer]:
    inner = around.at("offers").one_or_many(at_most=MAX_CLASSES)
    if inner:
        return [Offer(each, around) for each in inner]
    low, high = around.at("lowPrice"), around.at("highPrice")
    # A range of one price is one class, whatever it is called.
    if around.at("price").empty and (low.empty or low.value != high.value):
        around.at("offers").refuse("A range of prices sells nothing. List the offers, each with its own price.")
    return [Offer(around)]


def read_classes(offers: list[Offer], selling: Selling) -> tuple[str, tuple[ClassDraft, ...]]:
    """The currency of the event, and its classes."""
    currency: str | None = None
    classes: dict[str, ClassDraft] = {}
    for offer in offers:
        currency_node = _price_field(offer, "priceCurrency")
        offered_in = read_currency(currency_node)
        if currency is not None and offered_in != currency:
            currency_node.refuse(f"One event has one currency, and the first offer is in {currency}.")
        currency = offered_in
        cls = _class(offer, currency, selling)
        if cls.name in classes:
            offer.at("name").refuse(f"The class “{cls.name}” is there twice. Give each class its own name.")
        classes[cls.name] = cls
    return currency or "", tuple(classes.values())


def _price_field(offer: Offer, name: str) -> Node:
    """`price` and `priceCurrency` stand at the offer, in its `priceSpecification`, or as the one price of a range."""
    own = offer.at(name)
    if not own.empty:
        return own
    specification = offer.at("priceSpecification").first()
    if isinstance(specification.value, dict) and not specification.at(name).empty:
        return specification.at(name)
    low = offer.node.at("lowPrice")
    return low if name == "price" and not low.empty and low.value == offer.node.at("highPrice").value else own


def _class(offer: Offer, currency: str, selling: Selling) -> ClassDraft:
    capacity_node = _capacity_node(offer, selling)
    availability, begins_at, ends_at = _sale(offer, capacity_node, selling)
    kind = _kind(offer, capacity_node, selling)
    is_sold = availability == "available"
    if kind == "general" and capacity_node.missing and is_sold:
        offer.at("inventoryLevel").refuse("The capacity is missing: how many places may be sold in this class?")
    capacity = None if capacity_node.missing else capacity_node.whole(at_least=0, at_most=MAX_CAPACITY)
    return ClassDraft(
        path=offer.path,
        name=_class_name(offer, selling),
        description=read_text_or(offer.at("description"), "", at_most=500) or None,
        kind=kind,
        price_minor=read_price(_price_field(offer, "price"), currency),
        # Nothing is left, which says nothing of how many there were.
        capacity=capacity or None,
        colour=offer.at("onsale:colour").colour(),
        availability=availability,
        sale_begins_at=begins_at,
        sale_ends_at=ends_at,
    )


def _sale(offer: Offer, capacity: Node, selling: Selling) -> tuple[Availability, datetime | None, datetime | None]:
    begins_at, ends_at = read_sale_window(offer.at, selling.time_zone)
    availability = read_availability(offer.at("availability").first()) or "available"
    if availability == "not_yet" and begins_at is not None:
        availability = "available"
    if availability == "available" and capacity.value in (0, "0"):
        availability = "sold_out"
    return availability, begins_at, ends_at


def _kind(offer: Offer, capacity: Node, selling: Selling) -> Kind:
    node = offer.at("onsale:kind")
    # With a plan and no word on capacity, an offer sells the seats of its category.
    by_plan = "seated" if selling.plan_name is not None and capacity.missing else "general"
    kind = _KINDS.get(node.text_or(by_plan, at_most=20))
    if kind is None:
        node.refuse("Here belongs “general” (places without numbers) or “seated” (seats of a seating plan).")
    if kind == "seated" and selling.plan_name is None:
        selling.plan.refuse("The event has seated classes; name the seating plan that has their seats.")
    return kind


def _class_name(offer: Offer, selling: Selling) -> str:
    """A seated class is named as the category of its seats: `onsale:seatingCategory`, or simply `name`."""
    category = offer.at("onsale:seatingCategory")
    if not category.missing:
        return read_text(category, at_most=80)
    name = offer.at("name")
    return read_text_or(name, "Ticket", at_most=80) if selling.is_alone else read_text(name, at_most=80)


def _capacity_node(offer: Offer, selling: Selling) -> Node:
    """Where the capacity stands: `onsale:capacity`, `inventoryLevel`, or the event's own if there is one class."""
    candidates = [offer.at("onsale:capacity"), offer.at("inventoryLevel")]
    if selling.is_alone and selling.plan.missing:
        candidates.append(selling.event.at("maximumAttendeeCapacity"))
    for node in candidates:
        if not node.empty:
            return node.at("value") if isinstance(node.value, dict) else node
    return candidates[0]


def read_max_per_buyer(own: Node) -> int | None:
    """`onsale:maxPerBuyer`: how many places one account may hold and have of the event, over all its orders; None: no bound."""
    return None if own.missing else own.whole(at_least=1, at_most=MAX_PER_BUYER)


def read_max_per_order(own: Node, offers: list[Offer]) -> int:
    """`onsale:maxPerOrder`, or the smallest `eligibleQuantity` of the offers, or 10."""
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
