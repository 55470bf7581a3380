"""Use cases: what is read of the catalogue. Imports are in importing.py."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database
from chassis.statements import Row
from services.catalog import queries
from services.catalog.domain import CursorInvalid, EventUnknown, Sale, SeatMapUnknown, sale_of_class, sale_of_event
from services.catalog.folding import search_needles

MAX_WORDS = 8


@dataclass(frozen=True)
class EventListed:
    """An event on the list, when it is sold, and from which price, in minor units."""

    event: Row
    sale: Sale
    is_open: bool
    from_price_minor: int


@dataclass(frozen=True)
class Page:
    """Some events by start; `next` continues the list, None at its end."""

    items: Sequence[EventListed]
    next: str | None


@dataclass(frozen=True)
class EventWithClasses:
    """An event with all that its page tells: `sale` is the event's as a whole, `sales` those of its classes, at `now`."""

    event: Row
    classes: Sequence[Row]
    sale: Sale
    sales: Sequence[Sale]
    now: datetime


class Catalog:
    """Reads may come from a replica: a price or title that was just imported may be seen a moment later."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_events(self, query: str, after: str | None, limit: int) -> Page:
        """Upcoming events by start, whose title, venue, city, organiser or performers have all words of the query (folding.py)."""
        position = _position_of(after) if after else None
        needles = search_needles(query)[:MAX_WORDS]
        if query.strip() and not needles:
            return Page([], None)
        async with self._database.reader() as reads:
            found = await queries.events_page(reads, needles, after=position, limit=limit + 1)
            events = found[:limit]
            classes = await queries.classes_of_all(reads, [event["event_id"] for event in events]) if events else []
        items = [_listed(event, classes, utc_now()) for event in events]
        return Page(items, _cursor_of(events[-1]) if len(found) > limit else None)

    async def event(self, event_id: UUID) -> EventWithClasses:
        """One event; EventUnknown if there is none."""
        async with self._database.reader() as reads:
            event = await queries.event_with_venue(reads, event_id)
            if event is None:
                raise EventUnknown(event_id)
            classes = await queries.classes_of(reads, event_id)
        now = utc_now()
        sales = [_sale(event, each) for each in classes]
        return EventWithClasses(event, classes, sale_of_event(sales, event["over_at"], now), sales, now)

    async def seat_map(self, seat_map_id: UUID) -> str:
        """The geometry of a house as JSON; SeatMapUnknown if there is none."""
        async with self._database.reader() as reads:
            document = await queries.seat_map_document(reads, seat_map_id)
        if document is None:
            raise SeatMapUnknown(seat_map_id)
        return document


def _sale(event: Row, cls: Row) -> Sale:
    return sale_of_class(
        event["state"],
        event["on_sale"],
        event["over_at"],
        cls["availability"],
        cls["sale_begins_at"],
        cls["sale_ends_at"],
    )


def _listed(event: Row, classes: Sequence[Row], now: datetime) -> EventListed:
    own = [(_sale(event, each), each["price_minor"]) for each in classes if each["event_id"] == event["event_id"]]
    # The cheapest of what can be bought, now or later; of an event that is not sold, of all.
    buyable = [price for sale, price in own if sale.obstacle is None and now < sale.ends_at]
    sales = [sale for sale, _ in own]
    return EventListed(
        event,
        sale_of_event(sales, event["over_at"], now),
        any(sale.is_open(now) for sale in sales),
        min(buyable or [price for _, price in own]),
    )


def _cursor_of(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['starts_at'].isoformat()} {row['event_id']}".encode()).decode().rstrip("=")


def _position_of(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        starts_at, _, event_id = text.partition(" ")
        moment = datetime.fromisoformat(starts_at)
        if moment.tzinfo is None:
            raise CursorInvalid
        # In UTC it must still be within the calendar: the database takes it in UTC.
        return moment.astimezone(UTC), UUID(event_id)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise CursorInvalid from error
