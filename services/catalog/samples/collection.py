"""The sample plans and events: a 60-seat theatre, a hall of 2,000 seats, a festival of 20,000 places, and some more.

Their dates are written as `in 9 days, then Friday, at 20:00` and become dates when they are read, so that no sample lies in
the past: counted from today at the place of the event, on to the next such weekday, at a whole hour of its clock.
"""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.catalog.domain import EventDraft, SeatingPlan
from services.catalog.importers.document import parse_json
from services.catalog.importers.schema_org import read_events
from services.catalog.importers.seating_plan import read_seating_plan
from services.catalog.samples.hall import hall_plan

_FOLDER = Path(__file__).parent
_DATE = re.compile(r"in (?P<days>\d+) days, then (?P<weekday>\w+), at (?P<time>\d\d:00)")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE_FIELDS = ("startDate", "doorTime", "endDate")


def sample_plans() -> list[SeatingPlan]:
    """The seating plans of the samples."""
    hall = json.dumps(hall_plan()).encode()
    files = ((_FOLDER / "theatre.plan.json").read_bytes(), hall)
    return [read_seating_plan(parse_json(content)) for content in files]


def sample_events(now: datetime) -> list[EventDraft]:
    """The sample events, with dates after `now`."""
    documents: Any = parse_json((_FOLDER / "events.json").read_bytes())
    for document in documents:
        today = now.astimezone(ZoneInfo(document["onsale:timeZone"]))
        for field in _DATE_FIELDS:
            if field in document:
                document[field] = _date(document[field], today)
    return read_events(documents)


def _date(words: str, today: datetime) -> str:
    found = _DATE.fullmatch(words)
    if found is None:
        raise ValueError(f"A sample's date reads “in 9 days, then Friday, at 20:00”, not “{words}”.")
    earliest = today.date() + timedelta(days=int(found["days"]))
    day = earliest + timedelta(days=(_WEEKDAYS.index(found["weekday"]) - earliest.weekday()) % 7)
    return f"{day.isoformat()}T{found['time']}:00"
