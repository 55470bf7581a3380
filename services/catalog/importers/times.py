"""Moments: an instant in UTC and the time zone in which people will read it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from services.catalog.importers.document import Node

_DAY = r"\d{4}-\d{2}-\d{2}|\d{8}"
_CLOCK = r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?"
_OFFSET = r"[Zz]|[+-]\d{2}(?::?\d{2})?"
_DATE = re.compile(_DAY)
# Java writes the zone behind the offset: `2031-06-20T20:00+02:00[Europe/Berlin]` (RFC 9557).
_DATE_TIME = re.compile(rf"({_DAY})[Tt ] ?({_CLOCK}) ?({_OFFSET})?(?:\[([A-Za-z0-9_+/-]+)\])?")
_TIME = re.compile(rf"[Tt]?(\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d+)?)?) ?({_OFFSET})?")
_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?")
_HOUR = timedelta(hours=1)
# Doors at 23:00 of a start at 0:30 are those of the evening before.
_LONGEST_EVENING = timedelta(hours=12)
_END_OF_DAY = "24"
_A_YEAR = 2031


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks through the system's folder of zones


@cache
def zone_of_country(code: str) -> str | None:
    """The time zone of a country by its ISO 3166 code, if all its clocks agree; None if they do not, or it is not known here."""
    zones = [(zone, codes[0]) for codes, zone in _zones_of_countries() if code.upper() in codes]
    if len({_clock_of_zone(zone) for zone, _ in zones}) != 1:
        return None
    return next((zone for zone, first in zones if first == code.upper()), zones[0][0])


def _clock_of_zone(zone: str) -> tuple[timedelta | None, ...]:
    """How a zone's clock goes by its present rules: its offset on the days of a year."""
    return tuple(
        (datetime(_A_YEAR, 1, 1, 12, tzinfo=ZoneInfo(zone)) + timedelta(days=day)).utcoffset() for day in range(365)
    )


@cache
def _zones_of_countries() -> tuple[tuple[tuple[str, ...], str], ...]:
    """The table that comes with the zones: countries whose clocks agree since 1970, and a zone of theirs."""
    for folder in (*(Path(each) for each in TZPATH), *_packaged_zones()):
        table = folder / "zone1970.tab"
        if table.is_file():
            lines = [line.split("\t") for line in table.read_text("utf-8").splitlines() if not line.startswith("#")]
            return tuple((tuple(parts[0].split(",")), parts[2]) for parts in lines if len(parts) > 2)
    return ()


def _packaged_zones() -> list[Path]:
    """The folder of time zones of the package `tzdata`, for machines whose system has none."""
    found = find_spec("tzdata")
    return [Path(each) / "zoneinfo" for each in (found.submodule_search_locations or [])] if found else []


def read_time_zone(node: Node) -> str:
    """The name of a time zone of the IANA database, such as `Europe/Berlin`."""
    name = node.text(at_most=60)
    if name not in _known_zones():
        node.refuse(f"“{name}” is not a time zone. Write the name of the IANA database, such as “Europe/Berlin”.")
    return name


def read_moment(node: Node, time_zone: str | None) -> tuple[datetime, str]:
    """An ISO 8601 date and time as an instant in UTC, and its time zone: the one given, or what it says itself."""
    if node.missing:
        node.refuse("The time is missing. Write date and time, such as “2026-12-31T20:00:00+01:00”.")
    text = node.text(at_most=60)
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        if _DATE.fullmatch(text):
            node.refuse(
                f"“{text}” is a day and not a time: when does it begin? Write date and time, such as "
                "“2026-12-31T20:00:00+01:00”."
            )
        node.refuse(f"“{text}” is not a date with a time. Write it as “2026-12-31T20:00:00+01:00”.")
    day, clock, offset, zone = found.groups()
    if time_zone is None and zone in _known_zones():
        time_zone = zone
    try:
        moment = _day_of(day) + _clock_of(clock)
        if offset is None:
            return _on_the_clock_of(node, moment, time_zone)
        ahead = _offset_of(offset)
        return (moment - ahead).replace(tzinfo=UTC), time_zone or _zone_of(node, ahead)
    except (ValueError, OverflowError):
        node.refuse(f"“{text}” is not on the calendar or the clock.")


def read_moment_or_day(node: Node, time_zone: str, *, ends: bool) -> datetime | None:
    """An instant, or a whole day of the event's zone: its beginning, or with `ends` its last moment. None: a mere time of day."""
    text = node.text(at_most=60)
    if _TIME.fullmatch(text) and not _DATE.fullmatch(text):
        node.pass_over("a time without a day")
        return None
    if not _DATE.fullmatch(text):
        return read_moment(node, time_zone)[0]
    try:
        day = _day_of(text) + timedelta(days=1 if ends else 0)
        return day.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        node.refuse(f"“{text}” is not on the calendar.")


def read_moment_unless_day(node: Node, time_zone: str) -> datetime | None:
    """An instant; None, and passed over, if it is only a day."""
    if _DATE.fullmatch(node.text(at_most=60)):
        node.pass_over("a day without a time")
        return None
    return read_moment(node, time_zone)[0]


def read_door_time(node: Node, starts_at: datetime, time_zone: str) -> datetime | None:
    """When the doors open: a full date and time, or a time of the day of the start (of the evening before, after midnight)."""
    text = node.text(at_most=60)
    if _DATE.fullmatch(text):
        node.pass_over("a day without a time")
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        return read_moment(node, time_zone)[0]
    zone = ZoneInfo(time_zone)
    try:
        clock = _clock_of(found[1])
        for days in (0, -1):
            midnight = datetime.combine(starts_at.astimezone(zone).date() + timedelta(days=days), time())
            if found[2] is None:
                doors_at, _ = _on_the_clock_of(node, midnight + clock, time_zone)
            else:
                doors_at = (midnight + clock - _offset_of(found[2])).replace(tzinfo=UTC)
            if doors_at <= starts_at and (days == 0 or starts_at - doors_at <= _LONGEST_EVENING):
                return doors_at
    except (ValueError, OverflowError):
        node.refuse(f"“{text}” is not on the clock.")
    return node.refuse("The doors cannot open after the start.")


def read_duration(node: Node) -> timedelta | None:
    """An ISO 8601 duration such as `PT2H30M`; None, and passed over, if it is another text or longer than a month."""
    text = node.value if isinstance(node.value, str) else ""
    found = _DURATION.fullmatch(text.strip())
    parts = [int(part or 0) for part in found.groups()] if found else [0]
    if not any(parts):
        node.pass_over("no duration such as “PT2H30M”")
        return None
    days, hours, minutes, seconds = parts
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _day_of(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time())


def _clock_of(text: str) -> timedelta:
    """How far the day is; 24:00 is its end."""
    if text.startswith(_END_OF_DAY):
        if text.strip("0:.,") != _END_OF_DAY:
            raise ValueError(text)
        return timedelta(days=1)
    clock = time.fromisoformat(text[:15].replace(",", "."))
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)


def _offset_of(text: str) -> timedelta:
    if text in "Zz":
        return timedelta(0)
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text.startswith("-") else offset


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
