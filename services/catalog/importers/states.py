"""How an event stands, and what an offer says of its sale: schema.org's `eventStatus` and `availability`."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from services.catalog.domain import Availability, EventState
from services.catalog.importers.document import Node
from services.catalog.importers.times import read_moment_or_day

_LAST_WORD = re.compile(r"(?:.*[/#:])?([^/#:]*)", re.DOTALL)
_STATES: Mapping[str, EventState] = {
    "scheduled": "scheduled",
    "rescheduled": "rescheduled",
    "postponed": "postponed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "movedonline": "moved_online",
}
# An event may be several at once: moved online to another day. What keeps people from coming is said first.
_BY_WEIGHT: Sequence[EventState] = ("cancelled", "postponed", "moved_online", "rescheduled", "scheduled")
# What the vocabulary has, and what it means for a shop on the web. A pre-order or presale is for everybody once it has begun,
# which the offer says by its dates; without them it is not known when, so it is not sold yet.
_AVAILABILITIES: Mapping[str, Availability] = {
    "instock": "available",
    "limitedavailability": "available",
    "onlineonly": "available",
    "madetoorder": "available",
    "preorder": "not_yet",
    "presale": "not_yet",
    "soldout": "sold_out",
    "outofstock": "sold_out",
    "backorder": "sold_out",
    "reserved": "sold_out",
    "instoreonly": "box_office",
    "discontinued": "discontinued",
}
_BEGINNINGS = ("validFrom", "availabilityStarts")
_ENDS = ("validThrough", "availabilityEnds", "priceValidUntil")


def read_event_state(node: Node) -> EventState:
    """The state of an event, in any form of the term; scheduled if nothing is said."""
    states = {_state(each) for each in node.one_or_many(at_most=5)}
    return next((state for state in _BY_WEIGHT if state in states), "scheduled")


def read_availability(node: Node) -> Availability | None:
    """What an offer says of itself; None if it says nothing."""
    if node.missing:
        return None
    term = _term(node)
    if term not in _AVAILABILITIES:
        node.refuse(
            f"“{node.text(at_most=200)}” is no availability of schema.org. Write for example “https://schema.org/InStock” or "
            "“https://schema.org/SoldOut”, or leave it out."
        )
    return _AVAILABILITIES[term]


def read_sale_window(at: Callable[[str], Node], time_zone: str) -> tuple[datetime | None, datetime | None]:
    """From when until when an offer is sold, by the narrowest of its dates; a date alone is a day of the event's zone."""
    begins_at = max(_moments(at, _BEGINNINGS, time_zone, ends=False), default=None)
    ends_at = min(_moments(at, _ENDS, time_zone, ends=True), default=None)
    if begins_at is not None and ends_at is not None and ends_at <= begins_at:
        last = next(name for name in _ENDS if not at(name).missing)
        at(last).refuse("The sale would end before it begins. Look at the dates of this offer again.")
    return begins_at, ends_at


def _moments(at: Callable[[str], Node], names: Sequence[str], time_zone: str, *, ends: bool) -> list[datetime]:
    fields = [at(name).first() for name in names]
    read = (read_moment_or_day(field, time_zone, ends=ends) for field in fields if not field.empty)
    return [moment for moment in read if moment is not None]


def _state(node: Node) -> EventState:
    term = _term(node).removeprefix("event")
    if term not in _STATES:
        node.refuse(
            f"“{node.text(at_most=200)}” is no state of schema.org. Write for example “https://schema.org/EventCancelled”."
        )
    return _STATES[term]


def _term(node: Node) -> str:
    """The last word of a full address, with or without its prefix: `https://schema.org/SoldOut`, `schema:SoldOut`, `sold out`."""
    if isinstance(node.value, dict):
        node = node.at("@id")
    text = node.text(at_most=200).rstrip("/")
    found = _LAST_WORD.fullmatch(text)
    return re.sub(r"[\s_-]", "", found[1] if found else text).casefold()
