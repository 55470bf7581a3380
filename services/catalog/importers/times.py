"""Moments: an instant in UTC and the time zone in which people will read it."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from services.catalog.importers.document import Node

_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?")
_HOUR = timedelta(hours=1)


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks through the system's folder of zones


def read_time_zone(node: Node) -> str:
    """The name of a time zone of the IANA database, such as `Europe/Berlin`."""
    name = node.text(at_most=60)
    if name not in _known_zones():
        node.refuse(f"“{name}” is not a time zone. Write the name of the IANA database, such as “Europe/Berlin”.")
    return name


def read_moment(node: Node, time_zone: str | None) -> tuple[datetime, str]:
    """An ISO 8601 date and time as an instant in UTC, and its time zone: the one given, or what its offset says."""
    if node.missing:
        node.refuse("The time is missing. Write date and time, such as “2026-12-31T20:00:00+01:00”.")
    text = node.text(at_most=60)
    if not _DATE_TIME.fullmatch(text):
        node.refuse(f"“{text}” is not a date with a time. Write it as “2026-12-31T20:00:00+01:00”.")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return _on_the_clock_of(node, moment, time_zone)
        offset = moment.utcoffset() or timedelta(0)
        return moment.astimezone(UTC), time_zone or _zone_of(node, offset)
    except (ValueError, OverflowError):
        node.refuse(f"“{text}” is not on the calendar or the clock.")


def _on_the_clock_of(node: Node, moment: datetime, time_zone: str | None) -> tuple[datetime, str]:
    if time_zone is None:
        node.refuse(
            "The time has neither an offset nor a time zone. Append the offset (“+01:00”), or name the time zone in "
            "`onsale:timeZone`, such as “Europe/Berlin”."
        )
    zone = ZoneInfo(time_zone)
    first, second = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != moment:
        node.refuse(f"This time does not exist in {time_zone}: the clocks go forward over it. Append the offset.")
    if first != second:
        node.refuse(f"This time comes twice in {time_zone}: the clocks go back over it. Append the offset.")
    return first, time_zone


def _zone_of(node: Node, offset: timedelta) -> str:
    """The zone of whole hours that has this offset; IANA's `Etc` zones count westwards."""
    hours, rest = divmod(offset, _HOUR)
    if rest or not -12 <= hours <= 14:
        node.refuse("This offset is no whole hour. Name the time zone in `onsale:timeZone`, such as “Asia/Kolkata”.")
    return "UTC" if hours == 0 else f"Etc/GMT{-hours:+d}"
