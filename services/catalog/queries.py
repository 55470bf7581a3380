"""All SQL of this service."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, func, insert, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from services.catalog.tables import EventRow, SeatMapRow, SeatRow, TicketClassRow, VenueRow

_EVENT: Table = EventRow.metadata.tables["event"]
_CLASS: Table = TicketClassRow.metadata.tables["ticket_class"]
_VENUE: Table = VenueRow.metadata.tables["venue"]
_SEAT_MAP: Table = SeatMapRow.metadata.tables["seat_map"]
_SEAT: Table = SeatRow.metadata.tables["seat"]

_CLASSES_OF_ALL = text("""
    SELECT event_id, price_minor, availability, sale_begins_at, sale_ends_at FROM ticket_class WHERE event_id = ANY(:event_ids)
""")
_LOCK_IMPORTS = text("SELECT pg_advisory_xact_lock(4815162)")


def _over_at() -> ColumnElement[datetime]:
    return func.coalesce(_EVENT.c.ends_at, _EVENT.c.starts_at)


def _not_over() -> ColumnElement[bool]:
    return _over_at() > func.now()


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
    """Events that are not over, by start; each of the needles must stand in what a search looks through."""
    statement = (
        select(
            _EVENT.c.event_id,
            _EVENT.c.title,
            _EVENT.c.starts_at,
            _EVENT.c.time_zone,
            _VENUE.c.name.label("venue_name"),
            _VENUE.c.city,
            _EVENT.c.image,
            _EVENT.c.currency,
            _EVENT.c.state,
            _EVENT.c.previous_starts_at,
            _EVENT.c.on_sale,
            _over_at().label("over_at"),
        )
        .join(_VENUE, _VENUE.c.venue_id == _EVENT.c.venue_id)
        .where(_not_over())
        # The wildcards of LIKE are letters like others in a needle.
        .where(*(_EVENT.c.search_text.contains(needle, autoescape=True) for needle in needles))
        .order_by(_EVENT.c.starts_at, _EVENT.c.event_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(_EVENT.c.starts_at, _EVENT.c.event_id) > after)
    return (await reads.execute(statement, name="catalog.events_page")).mappings().all()


async def any_upcoming(reads: Reads) -> bool:
    """Whether an event lies ahead."""
    statement = select(literal(1)).select_from(_EVENT).where(_not_over()).limit(1)
    return (await reads.execute(statement, name="catalog.any_upcoming")).first() is not None


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
        select(_SEAT.c.seat_id, _SEAT.c.label, _SEAT.c.category)
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
