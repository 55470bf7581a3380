"""How money, times and places read on a ticket. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# ISO 4217: currencies whose minor unit is not a hundredth. All others have two digits.
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def money(amount_minor: int, currency: str) -> str:
    """An amount of minor units as people write it: `42.50 EUR`, `Free`."""
    if amount_minor == 0:
        return "Free"
    digits = _MINOR_DIGITS.get(currency, 2)
    whole, part = divmod(amount_minor, 10**digits)
    return f"{whole}.{part:0{digits}d} {currency}" if digits else f"{whole} {currency}"


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
