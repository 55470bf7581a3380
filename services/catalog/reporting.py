"""What a person who loads a file reads: what was understood, what was passed over, and what was refused."""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from chassis.money import Money
from services.catalog.domain import ClassDraft, EventDraft, ImportRefused, Sale
from services.catalog.importers.document import Reading
from services.catalog.importing import EventImported, PlanImported

MOST_PASSED_OVER = 40
_NUMBER = re.compile(r"\[\d+\]")
_STATES = {
    "scheduled": "as planned",
    "rescheduled": "rescheduled",
    "postponed": "postponed",
    "cancelled": "cancelled",
    "moved_online": "moved online",
}
_OBSTACLES = {
    "cancelled": "the event is cancelled",
    "postponed": "the event is postponed",
    "moved_online": "the event has moved online",
    "not_on_sale": "`onsale:onSale` is false",
    "sold_out": "it is sold out",
    "not_yet": "its sale has not begun, and it does not say when it will",
    "box_office": "it is sold at the box office only",
    "discontinued": "it is no longer offered",
}


def plan_sentence(plan: PlanImported) -> str:
    """What became of a seating plan."""
    return f"seating plan “{plan.name}”, version {plan.version}, {plan.seats:,} seats: {plan.outcome}"


def event_sentences(draft: EventDraft, imported: EventImported, now: datetime) -> Iterator[str]:
    """What became of an event, and how it was understood."""
    standing, zone = imported.standing, draft.time_zone
    yield f"event “{imported.title}”, {imported.event_id}: {imported.outcome}"
    moved = f", before {_moment(standing.previous_starts_at, zone)}" if standing.previous_starts_at else ""
    place = ", ".join(part for part in (standing.venue.name, standing.venue.city or standing.venue.street) if part)
    yield f"  {_STATES[standing.state]}: {_moment(standing.starts_at, zone)} {zone}{moved}; {place}"
    if standing.code_edition > 1:
        yield f"  tickets have codes of edition {standing.code_edition}; earlier ones are refused at the door"
    for cls in draft.classes:
        yield f"  {_class_sentence(draft, cls, imported.sales[cls.name], now)}"


def passed_over_sentences(reading: Reading) -> Iterator[str]:
    """What of a file has no effect, by path; the same field of many events is named once."""
    counted: dict[str, list[str]] = {}
    for path, why in reading.passed_over().items():
        counted.setdefault(_NUMBER.sub("[]", path) + why, []).append(f"{path} ({why})" if why else path)
    for number, alike in enumerate(counted.values()):
        if number == MOST_PASSED_OVER:
            yield f"passed over: {len(counted) - MOST_PASSED_OVER:,} other fields"
            return
        more = f", and {len(alike) - 1:,} more like it" if len(alike) > 1 else ""
        yield f"passed over: {alike[0]}{more}"


def refusal_sentence(refused: ImportRefused) -> str:
    """Why nothing of a file was taken."""
    where = f" {refused.path}:" if refused.path else ""
    return f"{where} {refused.sentence} Nothing of this file was loaded."


def _class_sentence(draft: EventDraft, cls: ClassDraft, sale: Sale, now: datetime) -> str:
    places = "seats of the plan" if cls.kind == "seated" else f"{cls.capacity:,} places" if cls.capacity else "places"
    price = Money(cls.price_minor, draft.currency).written() if cls.price_minor else "free"
    return f"“{cls.name}”, {places}, {price}: {_sale_words(sale, draft.time_zone, now)}"


def _sale_words(sale: Sale, zone: str, now: datetime) -> str:
    if sale.obstacle is not None:
        return f"not sold, because {_OBSTACLES[sale.obstacle]}"
    if sale.ends_at <= now:
        return f"not sold any more, since {_moment(sale.ends_at, zone)}"
    begins = f"from {_moment(sale.begins_at, zone)} " if sale.begins_at is not None else ""
    return f"sold {begins}until {_moment(sale.ends_at, zone)}"


def _moment(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
