"""How money and moments read on a page. Pure; English, with the event's own clock."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
# ISO 4217 minor units that are not two.
_MINOR_DIGITS = {"JPY": 0, "KRW": 0, "ISK": 0, "CLP": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3}
_NO_BREAK_SPACE = "\u00a0"


def money(minor: int, currency: str) -> str:
    """An amount of minor units as people write it: `€1,234.50`, `CHF 20.00`, `¥900`."""
    digits = _MINOR_DIGITS.get(currency, 2)
    whole, fraction = divmod(abs(minor), 10**digits)
    amount = f"{whole:,}" + (f".{fraction:0{digits}d}" if digits else "")
    symbol = _SYMBOLS.get(currency)
    text = f"{symbol}{amount}" if symbol else f"{currency}{_NO_BREAK_SPACE}{amount}"
    return f"\u2212{text}" if minor < 0 else text


def price(minor: int, currency: str) -> str:
    """The price of something on sale: as `money`, but nothing to pay reads *Free*."""
    return "Free" if minor == 0 else money(minor, currency)


def minor_digits(currency: str) -> int:
    """How many digits of the currency are minor units (2 for EUR, 0 for JPY)."""
    return _MINOR_DIGITS.get(currency, 2)


def symbol(currency: str) -> str:
    """What stands before an amount of this currency."""
    return _SYMBOLS.get(currency, f"{currency}{_NO_BREAK_SPACE}")


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


class Moment:
    """One instant on the clock of the place where it happens."""

    def __init__(self, instant: datetime, time_zone: str) -> None:
        self._local = instant.astimezone(zone(time_zone))
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


def enumerate_names(names: list[str], most: int = 6) -> str:
    """`A, B and C`; a long list ends in *and 4 more*."""
    shown, rest = names[:most], len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
