"""How an event stands, and why something of it is not sold, in words. Catalog decides what is sold when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.web.clients.catalog import Event, EventState, Obstacle
from services.web.frame import formats

# States in which nobody should set out for the place.
STATES_TO_STAY_AWAY = frozenset({"cancelled", "postponed", "moved_online"})


class OnSale(Protocol):
    """A class or an event as catalog tells when it is sold."""

    @property
    def obstacle(self) -> Obstacle | None: ...
    @property
    def sale_begins_at(self) -> datetime | None: ...
    @property
    def sale_ends_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Standing:
    """How an event stands that is not as it was planned: a word or two, their tone, and what to know of the date."""

    words: str
    tone: str
    about_date: str


@dataclass(frozen=True)
class Unsold:
    """Why something is not sold now: short for a list, and as a title and a sentence for a page.

    `is_ahead`: it will be, from a moment that is known."""

    words: str
    title: str
    text: str
    is_ahead: bool = False


def is_open(one: OnSale, now: datetime) -> bool:
    """Whether it is sold at this moment. An event that was read before its sale began need not be read again."""
    begun = one.sale_begins_at is None or one.sale_begins_at <= now
    return one.obstacle is None and begun and (one.sale_ends_at is None or now < one.sale_ends_at)


def standing_of(state: EventState, previous: datetime | None, time_zone: str) -> Standing | None:
    """How an event stands; None if it is as planned."""
    if state == "cancelled":
        return Standing("Cancelled", "bad", "")
    if state == "postponed":
        return Standing("Postponed", "open", "New date not known yet")
    if state == "moved_online":
        return Standing("Online", "open", "Takes place online")
    if state == "rescheduled":
        was = f" (was {formats.Moment(previous, time_zone).full})" if previous else ""
        return Standing("New date", "open", f"New date{was}")
    return None


_OBSTACLES: dict[Obstacle, Unsold] = {
    "cancelled": Unsold(
        "Cancelled",
        "This event is cancelled.",
        "No tickets are sold. If you have some, the organiser tells you what happens next.",
    ),
    "postponed": Unsold(
        "Postponed",
        "This event is postponed: the new date is not known yet.",
        "Tickets that were bought stay valid. New ones are sold once there is a date.",
    ),
    "moved_online": Unsold(
        "Online",
        "This event takes place online.",
        "No tickets for the place are sold any more. If you have some, the organiser tells you how to take part.",
    ),
    "not_on_sale": Unsold(
        "Not on sale now",
        "Tickets are not on sale at the moment.",
        "Come back when the sale has begun: this page will show the places then.",
    ),
    "not_yet": Unsold(
        "Not on sale yet",
        "The sale has not begun yet.",
        "It is not known yet when it will. This page will show the places then.",
    ),
    "sold_out": Unsold("Sold out", "Sold out.", "There are no tickets left. Look again later: some may come back."),
    "box_office": Unsold(
        "At the box office", "Tickets are sold at the box office only.", "Ask the organiser when it is open."
    ),
    "discontinued": Unsold("No longer sold", "These tickets are not sold any more.", "Ask the organiser for others."),
}
_ENDED = Unsold(
    "Sale is over",
    "The sale is over.",
    "No tickets are sold here any more. Ask the organiser whether there are some at the door.",
)


def unsold(one: OnSale, time_zone: str, now: datetime) -> Unsold | None:
    """Why something is not sold at this moment, and from when it will be; None if it is."""
    if is_open(one, now):
        return None
    if one.obstacle is not None:
        return _OBSTACLES[one.obstacle]
    if one.sale_begins_at is not None and now < one.sale_begins_at:
        return begins_later(one.sale_begins_at, time_zone)
    return _ENDED


def begins_later(begins_at: datetime, time_zone: str) -> Unsold:
    """A sale that begins at a moment that is known."""
    moment = formats.Moment(begins_at, time_zone)
    when = f"{moment.full} {moment.zone_name}".strip()
    text = "Open this page again then: it will show the places."
    return Unsold(f"From {when}", f"The sale begins on {when}.", text, is_ahead=True)


def event_unsold(event: Event, now: datetime) -> Unsold | None:
    """Why nothing of an event is sold at this moment; None if something is."""
    over_at = event.over_at or event.starts_at
    # An event that was cancelled or postponed did not take place, so it is not over either.
    if over_at <= now and event.state not in STATES_TO_STAY_AWAY:
        on = formats.Moment(event.starts_at, event.time_zone).long_date
        return Unsold("Over", "This event is over.", f"It took place on {on}. No tickets are sold any more.")
    # An older version of catalog says no more than `on_sale`.
    if not event.on_sale and event.obstacle is None and all(each.sale_ends_at is None for each in event.classes):
        return _OBSTACLES["not_on_sale"]
    if event.obstacle is not None:
        return _OBSTACLES[event.obstacle]
    if any(is_open(each, now) for each in event.classes):
        return None
    begin = [each.sale_begins_at for each in event.classes if each.obstacle is None and each.sale_begins_at is not None]
    later = [moment for moment in begin if moment > now]
    if later:
        return begins_later(min(later), event.time_zone)
    return _ENDED
