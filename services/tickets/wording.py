"""How money, times and places read on a ticket. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.money import Money


def money(amount_minor: int, currency: str) -> str:
    """An amount of minor units as people write it: `€42.50`, `Free`."""
    return Money(amount_minor, currency).written() if amount_minor else "Free"


def local_time(moment: datetime, time_zone: str) -> datetime:
    """The moment on a clock that hangs where the event is; in UTC if this machine does not know the zone."""
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.astimezone(UTC)


def day(moment: datetime) -> str:
    """`Thursday 31 December 2026`"""
    return f"{moment:%A} {moment.day} {moment:%B %Y}"


def clock(moment: datetime) -> str:
    """`20:00 CET`: with the zone, because a traveller's phone shows another one."""
    return f"{moment:%H:%M} {moment.tzname()}"


def grouped(code: str, group: int = 5) -> str:
    """The code in groups, for the eye; the groups are no part of the code."""
    return " ".join(code[i : i + group] for i in range(0, len(code), group))
