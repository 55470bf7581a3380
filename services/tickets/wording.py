"""How money, times and places read on a ticket. Pure."""

from datetime import datetime
from functools import lru_cache

from babel import Locale

from chassis.clock import zone_of
from chassis.languages import DEFAULT
from chassis.money import Money
from services.tickets.domain import EventState, Ticket

_CODE_CHARACTERS = 2


def money(amount_minor: int, currency: str, language: str = DEFAULT) -> str:
    """An amount of minor units as people write it: `€42.50`, in German `42,50 €`; `Free`."""
    return Money(amount_minor, currency).as_price(language)


def country_code_of(country: str | None) -> str | None:
    """The code (ISO 3166-1 alpha-2) of a country that is given by its code or by its English name; None of any other."""
    if country is None or len(country) == _CODE_CHARACTERS:
        return country.upper() if country else None
    return _codes_by_name().get(country.casefold())


@lru_cache(maxsize=1)
def _codes_by_name() -> dict[str, str]:
    territories = Locale.parse("en").territories.items()
    return {name.casefold(): code for code, name in territories if len(code) == _CODE_CHARACTERS}


def local_time(moment: datetime, time_zone: str) -> datetime:
    """The moment on a clock that hangs where the event is; in UTC if this machine does not know the zone."""
    return moment.astimezone(zone_of(time_zone))


def day(moment: datetime) -> str:
    """`Thursday 31 December 2026`"""
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def short_day(moment: datetime) -> str:
    """`Thu 31 Dec 2026`"""
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def news_of(ticket: Ticket) -> str | None:
    """What is not as it was when the ticket was bought, in a sentence; None if nothing is."""
    match ticket.event_state:
        case EventState.CANCELLED:
            return "This event is cancelled."
        case EventState.POSTPONED:
            return "This event is postponed. Its new date is not known yet; this ticket stays valid."
        case EventState.MOVED_ONLINE:
            return "This event has moved online."
    if ticket.previous_starts_at is not None and ticket.previous_starts_at != ticket.starts_at:
        before = local_time(ticket.previous_starts_at, ticket.time_zone)
        return f"New date. It was {day(before)}, {clock(before)}."
    return None


def clock(moment: datetime) -> str:
    """`20:00 CET`: with the zone, because a traveller's phone shows another one."""
    return f"{moment:%H:%M} {moment.tzname()}"


def grouped(code: str, group: int = 5) -> str:
    """The code in groups, for the eye; the groups are no part of the code."""
    return " ".join(code[i : i + group] for i in range(0, len(code), group))
