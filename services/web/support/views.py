"""How a story reads on a page, and what programs get of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from chassis.clock import zone_of
from chassis.models import Response
from services.web.frame import formats
from services.web.support.story import Story
from services.web.support.timeline import Line
from services.web.support.words import duration


class LineOut(Response):
    """One happening. `pause_seconds`: for how long nothing had happened before, if that was long. `url`: its span."""

    at: datetime
    service: str
    text: str
    tone: Literal["plain", "good", "bad"]
    source: Literal["records", "trace"]
    pause_seconds: float | None
    trace_id: str | None
    span_id: str | None
    url: str | None


class StoryOut(Response):
    """An order's whole life. `notes`: what could not be found out. `took_seconds`: from the hold to the confirmation."""

    order_id: UUID
    number: str
    state: str
    state_words: str
    reason: str | None
    event_title: str
    places: int
    currency: str
    total_minor: int
    total: str
    took_seconds: float | None
    trace_id: str | None
    trace_url: str | None
    notes: list[str]
    lines: list[LineOut]


@dataclass(frozen=True)
class LineView:
    """A line of the page; `local` is the time on the clock of the event."""

    iso: str
    clock: str
    local: str
    service: str
    text: str
    tone: str
    source: str
    pause: str | None
    url: str | None


@dataclass(frozen=True)
class DayView:
    """The lines of one day, in UTC."""

    date: str
    lines: list[LineView]


@dataclass(frozen=True)
class StoryView:
    """The page of an order's story."""

    number: str
    order_id: UUID
    state_words: str
    tone: str
    event_title: str
    moment: formats.Moment
    venue_name: str
    places: str
    total: str
    took: str | None
    stuck: str | None
    trace_url: str | None
    notes: list[str]
    days: list[DayView]


def story_out(story: Story, viewer: str | None) -> StoryOut:
    """The story for programs. `viewer`: the base address of the trace viewer, None if there is none."""
    head = story.head
    return StoryOut(
        order_id=head.order_id,
        number=head.number,
        state=head.state,
        state_words=story.state_words,
        reason=head.reason,
        event_title=head.event_title,
        places=head.places,
        currency=head.currency,
        total_minor=head.total_minor,
        total=story.total,
        took_seconds=story.took_seconds,
        trace_id=head.trace_id,
        trace_url=_span_url(viewer, head.trace_id, None),
        notes=story.notes,
        lines=[_line_out(line, viewer) for line in story.lines],
    )


def _line_out(line: Line, viewer: str | None) -> LineOut:
    return LineOut(
        at=line.at,
        service=line.service,
        text=line.text,
        tone=line.tone,
        source=line.source,
        pause_seconds=line.pause_seconds,
        trace_id=line.trace_id,
        span_id=line.span_id,
        url=_span_url(viewer, line.trace_id, line.span_id),
    )


def page_of(story: Story, viewer: str | None) -> StoryView:
    """For people."""
    head = story.head
    days: dict[str, list[LineView]] = {}
    for line in story.lines:
        day = f"{line.at.astimezone(UTC):%A %-d %B %Y}"
        days.setdefault(day, []).append(_line_view(line, head.event_time_zone, viewer))
    return StoryView(
        number=head.number,
        order_id=head.order_id,
        state_words=story.state_words,
        tone=story.tone,
        event_title=head.event_title,
        moment=formats.Moment(head.event_starts_at, head.event_time_zone),
        venue_name=head.venue_name,
        places=formats.count(head.places, "place", "places"),
        total=story.total,
        took=story.took,
        stuck=_stuck(head.attempts),
        trace_url=_span_url(viewer, head.trace_id, None),
        notes=story.notes,
        days=[DayView(date, lines) for date, lines in days.items()],
    )


def _line_view(line: Line, time_zone: str, viewer: str | None) -> LineView:
    at = line.at.astimezone(UTC)
    local = line.at.astimezone(zone_of(time_zone))
    return LineView(
        iso=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        clock=f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}",
        local=f"{local:%H:%M:%S} {local.tzname()}",
        service=line.service,
        text=line.text,
        tone=line.tone,
        source=line.source,
        pause=duration(line.pause_seconds) if line.pause_seconds else None,
        url=_span_url(viewer, line.trace_id, line.span_id),
    )


def _stuck(attempts: int) -> str | None:
    if attempts == 0:
        return None
    return f"Its present step has failed {formats.count(attempts, 'time', 'times')} until now, and is tried again."


def _span_url(viewer: str | None, trace_id: str | None, span_id: str | None) -> str | None:
    """The address of a span in the viewer, as Jaeger has it."""
    if viewer is None or trace_id is None:
        return None
    return f"{viewer}/trace/{trace_id}" + (f"?uiFind={span_id}" if span_id else "")
