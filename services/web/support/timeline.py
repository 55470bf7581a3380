"""The flight recorder: an order's whole life line by line, joined from what each service has recorded of it.

Nothing here asks anybody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.web.clients.records import Entry
from services.web.support.words import Tone, sentence_of

# A pause between two lines is shown from this length on.
LONG_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Line:
    """One happening. `pause_seconds`: how long nothing had happened before it, if that was long."""

    at: datetime
    service: str
    text: str
    tone: Tone = "plain"
    trace_id: str | None = None
    span_id: str | None = None
    source: Literal["records", "trace"] = "records"
    pause_seconds: float | None = None


def lines_of_records(
    service: str, records: Iterable[Entry], fact_times: Mapping[str, datetime] | None = None
) -> list[Line]:
    """The lines of one service's records. `fact_times`: when each fact was published, by its id: so long it travelled."""
    return [_line(service, entry, fact_times or {}) for entry in records]


def times_of_facts(records: Mapping[str, Iterable[Entry]]) -> dict[str, datetime]:
    """When each fact was published, by its id."""
    every = (entry for entries in records.values() for entry in entries)
    return {entry.facts.reference: entry.at for entry in every if entry.what == "fact_told" and entry.facts.reference}


def joined(records: Mapping[str, Iterable[Entry]], further: Iterable[Line] = ()) -> list[Line]:
    """All lines in the order in which things happened, with the pauses between them.

    Each service has a clock of its own. Where a fact was heard before it was published, the listener's clock is behind: the
    line stands behind its cause all the same.
    """
    fact_times = times_of_facts({service: list(entries) for service, entries in records.items()})
    placed = [
        (*_place(entry, fact_times), line)
        for service, entries in records.items()
        for entry, line in zip(entries, lines_of_records(service, entries, fact_times), strict=True)
    ]
    placed += [(line.at, False, line) for line in further]
    placed.sort(key=lambda each: each[:2])
    lines, before = [], None
    for at, _, line in placed:
        pause = (at - before).total_seconds() if before else 0.0
        lines.append(replace(line, pause_seconds=pause) if pause >= LONG_PAUSE_SECONDS else line)
        before = at
    return lines


def _place(entry: Entry, fact_times: Mapping[str, datetime]) -> tuple[datetime, bool]:
    """When an entry stands, and whether it was moved there, behind what stands there anyway."""
    cause = fact_times.get(entry.facts.reference, entry.at) if entry.what == "fact_heard" else entry.at
    return max(entry.at, cause), cause > entry.at


def _line(service: str, entry: Entry, fact_times: Mapping[str, datetime]) -> Line:
    text, tone = sentence_of(service, entry, fact_times)
    return Line(entry.at, service, text, tone, entry.trace_id, entry.span_id)
