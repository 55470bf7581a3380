"""All SQL of this service."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from services.catalog.tables import EventRow, SeatMapRow, SeatRow, TicketClassRow, VenueRow

_EVENT: Table = EventRow.metadata.tables["event"]
_CLASS: Table = TicketClassRow.metadata.tables["ticket_class"]
_VENUE: Table = VenueRow.metadata.tables["venue"]
_SEAT_MAP: Table = SeatMapRow.metadata.tables["seat_map"]
_SEAT: Table = SeatRow.metadata.tables["seat"]

# How many events a search looks through before it asks the index of letters.
LOOKED_THROUGH = 1_000
_CLASSES_OF_ALL = text("""
    SELECT event_id, price_minor, availability, sale_begins_at, sale_ends_at FROM ticket_class WHERE event_id = ANY(:event_ids)
""")
_LOCK_IMPORTS = text("SELECT pg_advisory_xact_lock(4815162)")


def _over_at() -> ColumnElement[datetime]:
    return func.coalesce(_EVENT.c.ends_at, _EVENT.c.starts_at)


def _ahead() -> ColumnElement[bool]:
    return _EVENT.c.starts_at > func.now()


def _under_way() -> ColumnElement[bool]:
    # As the index has it: among the many that have begun, those that are not over.
    lasts = func.tstzrange(_EVENT.c.starts_at, _EVENT.c.ends_at).op("@>")(func.now())
    return and_(_EVENT.c.ends_at.is_not(None), lasts, _EVENT.c.starts_at <= func.now())


_EVENT_WITH_VENUE = (
    select(
        *(column for column in _EVENT.c if column.name not in {"search_text", "digest"}),
        _over_at().label("over_at"),
        _VENUE.c.name.label("venue_name"),
        _VENUE.c.street,
        _VENUE.c.city,
        _VENUE.c.country,
        _SEAT_MAP.c.version.label("seat_map_version"),
    )
    .join(_VENUE, _VENUE.c.venue_id == _EVENT.c.venue_id)
    .outerjoin(_SEAT_MAP, _SEAT_MAP.c.seat_map_id == _EVENT.c.seat_map_id)
    .where(_EVENT.c.event_id == bindparam("event_id"))
)
_CLASSES_OF = select(_CLASS).where(_CLASS.c.event_id == bindparam("event_id")).order_by(_CLASS.c.position)


async def events_page(
    reads: Reads, needles: Sequence[str], *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row]:
    """Events that are not over, by start; each of the needles must stand in what a search looks through.

    Of words that many events have, the next ones by start fill a page. Of others the index of letters knows all events. Which of
    the two it is nobody can say beforehand, least of all a plan that is made once for all words.
    """
    behind = [tuple_(_EVENT.c.starts_at, _EVENT.c.event_id) > after] if after is not None else []
    under_way = select(_EVENT).where(_under_way(), *behind).cte("under_way").prefix_with("MATERIALIZED")
    ahead = select(_EVENT).where(_ahead(), *behind).order_by(_EVENT.c.starts_at, _EVENT.c.event_id)
    next_ones = ahead.limit(LOOKED_THROUGH if needles else limit).cte("next_ones").prefix_with("MATERIALIZED")
    near = union_all(*(select(part).where(*_have(part, needles)) for part in (under_way, next_ones)))
    statement = _page(near, limit)
    found = (await reads.execute(statement, name="catalog.events_page")).mappings().all()
    if not needles or len(found) == limit:
        return found
    with_letters = select(_EVENT).where(*_have(_EVENT, needles)).cte("with_letters").prefix_with("MATERIALIZED")
    all_of_them = select(with_letters).where(
        func.coalesce(with_letters.c.ends_at, with_letters.c.starts_at) > func.now()
    )
    if after is not None:
        all_of_them = all_of_them.where(tuple_(with_letters.c.starts_at, with_letters.c.event_id) > after)
    rows = await reads.execute(_page(all_of_them, limit), name="catalog.events_with_letters")
    return rows.mappings().all()


def _have(event: FromClause, needles: Sequence[str]) -> list[ColumnElement[bool]]:
    # The wildcards of LIKE are letters like others in a needle.
    return [event.c.search_text.contains(needle, autoescape=True) for needle in needles]


def _page(found: Select[Any] | CompoundSelect[Any], limit: int) -> Select[Any]:
    """The first of these events, as a list shows them."""
    event = found.subquery("found")
    names = "event_id title starts_at time_zone image currency state previous_starts_at on_sale"
    return (
        select(
            *(event.c[name] for name in names.split()),
            _VENUE.c.name.label("venue_name"),
            _VENUE.c.city,
            func.coalesce(event.c.ends_at, event.c.starts_at).label("over_at"),
        )
        .join(_VENUE, _VENUE.c.venue_id == event.c.venue_id)
        .order_by(event.c.starts_at, event.c.event_id)
        .limit(limit)
    )


async def any_upcoming(reads: Reads) -> bool:
    """Whether an event lies ahead, or is not over."""
    some = [exists(select(literal(1)).select_from(_EVENT).where(which)) for which in (_ahead(), _under_way())]
    return bool((await reads.execute(select(or_(*some)), name="catalog.any_upcoming")).scalar())


async def event_with_venue(reads: Reads, event_id: UUID) -> Row | None:
    """An event, where it is, and the version of its seat map."""
    return (
        (await reads.execute(_EVENT_WITH_VENUE, {"event_id": event_id}, name="catalog.event")).mappings().one_or_none()
    )


async def classes_of(reads: Reads, event_id: UUID) -> Sequence[Row]:
    """An event's classes in the organiser's order."""
    return (await reads.execute(_CLASSES_OF, {"event_id": event_id}, name="catalog.classes_of")).mappings().all()


async def classes_of_all(reads: Reads, event_ids: Sequence[UUID]) -> Sequence[Row]:
    """The classes of several events, as far as a list needs them."""
    rows = await reads.execute(_CLASSES_OF_ALL, {"event_ids": list(event_ids)}, name="catalog.classes_of_all")
    return rows.mappings().all()


async def seat_map_document(reads: Reads, seat_map_id: UUID) -> str | None:
    """The answer for a seat map, as JSON."""
    statement = select(_SEAT_MAP.c.document).where(_SEAT_MAP.c.seat_map_id == seat_map_id)
    document: str | None = (await reads.execute(statement, name="catalog.seat_map")).scalar_one_or_none()
    return document


async def lock_imports(tx: Transaction) -> None:
    """One import at a time: versions of one plan, or changes of one event, must not overtake each other."""
    await tx.execute(_LOCK_IMPORTS, name="catalog.lock_imports")


async def newest_seat_map(reads: Reads, name: str) -> Row | None:
    """The newest version of a plan."""
    statement = (
        select(_SEAT_MAP.c.seat_map_id, _SEAT_MAP.c.version)
        .where(_SEAT_MAP.c.name == name)
        .order_by(_SEAT_MAP.c.version.desc())
        .limit(1)
    )
    return (await reads.execute(statement, name="catalog.newest_seat_map")).mappings().one_or_none()


async def seat_map_version(reads: Reads, seat_map_id: UUID) -> int | None:
    """The version under which this geometry is known, if it is."""
    statement = select(_SEAT_MAP.c.version).where(_SEAT_MAP.c.seat_map_id == seat_map_id)
    version: int | None = (await reads.execute(statement, name="catalog.seat_map_version")).scalar_one_or_none()
    return version


async def insert_seat_map(tx: Transaction, seat_map: Mapping[str, Any], seats: Sequence[Mapping[str, Any]]) -> None:
    """Adds a version of a seat map with its seats."""
    await tx.execute(insert(_SEAT_MAP).values(**seat_map), name="catalog.insert_seat_map")
    await tx.execute(insert(_SEAT), seats, name="catalog.insert_seats")


async def seats_of(reads: Reads, seat_map_id: UUID) -> Sequence[Row]:
    """A seat map's seats in the order of the plan."""
    statement = (
        select(_SEAT.c.seat_id, _SEAT.c.label, _SEAT.c.category, _SEAT.c.row_id, _SEAT.c.place_in_row)
        .where(_SEAT.c.seat_map_id == seat_map_id)
        .order_by(_SEAT.c.ordinal)
    )
    return (await reads.execute(statement, name="catalog.seats_of")).mappings().all()


async def event_state(reads: Reads, event_id: UUID) -> Row | None:
    """What an import compares itself with."""
    names = (
        "digest seat_map_id version identifier state title starts_at previous_starts_at doors_at ends_at code_edition"
    )
    statement = (
        select(
            *(_EVENT.c[name] for name in names.split()),
            _VENUE.c.name.label("venue_name"),
            _VENUE.c.street,
            _VENUE.c.city,
            _VENUE.c.country,
        )
        .join(_VENUE, _VENUE.c.venue_id == _EVENT.c.venue_id)
        .where(_EVENT.c.event_id == event_id)
    )
    return (await reads.execute(statement, name="catalog.event_state")).mappings().one_or_none()


async def events_of_address(reads: Reads, address: str) -> dict[datetime, str]:
    """Identifiers of the events that were known by this page, by their start."""
    known = or_(_EVENT.c.identifier == address, _EVENT.c.identifier.startswith(f"{address} ", autoescape=True))
    statement = select(_EVENT.c.starts_at, _EVENT.c.identifier).where(known).order_by(_EVENT.c.identifier)
    rows = await reads.execute(statement, name="catalog.events_of_address")
    return {row.starts_at: row.identifier for row in rows}


async def put_event(
    tx: Transaction, venue: Mapping[str, Any], event: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]
) -> None:
    """Adds or changes an event with its venue and its classes."""
    await tx.execute(upsert(_VENUE).values(**venue).on_conflict_do_nothing(), name="catalog.put_venue")
    await tx.execute(_put(_EVENT, event), name="catalog.put_event")
    for values in classes:
        await tx.execute(_put(_CLASS, values), name="catalog.put_class")


def _put(table: Table, values: Mapping[str, Any]) -> Any:
    keys = [column.name for column in table.primary_key]
    changes = {name: value for name, value in values.items() if name not in keys}
    return upsert(table).values(**values).on_conflict_do_update(index_elements=keys, set_=changes)
