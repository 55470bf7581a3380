"""The time, and the clocks of the places where events are."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def utc_now() -> datetime:
    """Now, timezone-aware. For what must not depend on this machine's clock, let the database say `now()`."""
    return datetime.now(UTC)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name (`Europe/Berlin`); UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, `America`
        return UTC
