"""How money and moments read on a page: amounts in the reader's way, words in English, with the event's own clock."""

import math
from datetime import UTC, datetime

from chassis.clock import zone_of
from chassis.money import Money, Style, style_of
from services.web.frame.reader import language

MINUTE_SECONDS, HOUR_MINUTES = 60, 60
LONGEST_IN_MINUTES = 90


def money(minor: int, currency: str) -> str:
    """An amount of minor units as this page's reader writes it: `€1,234.50`, in German `1.234,50 €`."""
    return Money(minor, currency).written(language())


def price(minor: int, currency: str) -> str:
    """The price of something on sale: as `money`, but nothing to pay reads *Free*."""
    return Money(minor, currency).as_price(language())


def style(currency: str) -> Style:
    """How this page's reader writes amounts, for the script that adds up what is chosen."""
    return style_of(currency, language())


class Moment:
    """A moment on the clock of the place where something happens."""

    def __init__(self, instant: datetime, time_zone: str) -> None:
        self._local = instant.astimezone(zone_of(time_zone))
        self.iso = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def weekday(self) -> str:
        return f"{self._local:%a}"

    @property
    def day(self) -> str:
        return str(self._local.day)

    @property
    def month(self) -> str:
        return f"{self._local:%b}"

    @property
    def date(self) -> str:
        """`Fri 4 Dec 2026`."""
        return f"{self.weekday} {self.day} {self.month} {self._local.year}"

    @property
    def long_date(self) -> str:
        """`Friday 4 December 2026`."""
        return f"{self._local:%A} {self.day} {self._local:%B %Y}"

    @property
    def time(self) -> str:
        return f"{self._local:%H:%M}"

    @property
    def zone_name(self) -> str:
        """`CET`, so that who lives elsewhere is not misled."""
        return self._local.tzname() or ""

    @property
    def full(self) -> str:
        """`Fri 4 Dec 2026, 19:30`."""
        return f"{self.date}, {self.time}"


def count(number: int, one: str, many: str) -> str:
    """`1 seat`, `2 seats`."""
    return f"{number:,} {one if number == 1 else many}"


def wait(seconds: float | None) -> str:
    """An estimate of a wait as people say it; static/queue.js has the same words."""
    if seconds is None:
        return "nobody can say at the moment"
    if seconds <= MINUTE_SECONDS:
        return "at most a minute"
    minutes = math.ceil(seconds / MINUTE_SECONDS)
    if minutes <= LONGEST_IN_MINUTES:
        return f"about {minutes} minutes"
    return f"about {round(minutes / HOUR_MINUTES)} hours"


def enumerate_names(names: list[str], most: int = 6) -> str:
    """`A, B and C`; a long list ends in *and 4 more*."""
    shown, rest = names[:most], len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
