"""Use cases: taking in seating plans and events. One transaction per file; what it publishes is written in the same one."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.statements import Row
from services.catalog import queries
from services.catalog.adjacency import places_in_rows
from services.catalog.domain import (
    SEATS_PER_PART,
    Change,
    ClassDraft,
    EventDraft,
    ImportRefused,
    Sale,
    SeatingPlan,
    Sellable,
    Standing,
    Venue,
    changes_for_holders,
    check_change,
    sale_of_class,
    sellable,
    stable_id,
    standing_after,
)
from services.catalog.events import EventChanged, EventPublished, PublishedClass, PublishedSeat, SeatsPublished
from services.catalog.folding import search_text

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True)
class PlanImported:
    """What became of a seating plan."""

    seat_map_id: UUID
    name: str
    version: int
    seats: int
    outcome: Outcome


@dataclass(frozen=True)
class EventImported:
    """What became of an event."""

    event_id: UUID
    title: str
    outcome: Outcome
    standing: Standing
    sales: Mapping[str, Sale]


class Importer:
    """Takes in what files describe. What is refused changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_upcoming_events(self) -> bool:
        """Whether there is anything to show."""
        async with self._database.writer() as tx:
            return await queries.any_upcoming(tx)

    async def import_seating_plan(self, plan: SeatingPlan) -> PlanImported:
        """Adds a version of the seat map of this name, unless it is known. Events keep the version that they have."""
        digest = hashlib.sha256(orjson.dumps(plan)).digest()
        seat_map_id = stable_id("seat_map", plan.name, digest.hex())
        seats = plan.seats()
        async with self._database.writer() as tx:
            await queries.lock_imports(tx)
            known = await queries.seat_map_version(tx, seat_map_id)
            if known is not None:
                return PlanImported(seat_map_id, plan.name, known, len(seats), "unchanged")
            newest = await queries.newest_seat_map(tx, plan.name)
            version = 1 if newest is None else newest["version"] + 1
            document = {"seat_map_id": seat_map_id, "version": version, "name": plan.name}
            document |= {"width": plan.width, "height": plan.height, "zones": plan.zones, "categories": plan.categories}
            values = {
                "seat_map_id": seat_map_id,
                "name": plan.name,
                "version": version,
                "width": plan.width,
                "height": plan.height,
                "digest": digest,
                "document": orjson.dumps(document).decode(),
            }
            beside = places_in_rows(plan)
            rows = [
                {
                    "seat_map_id": seat_map_id,
                    "seat_id": seat.seat_id,
                    "ordinal": ordinal,
                    "label": seat.label,
                    "category": seat.category,
                    "row_id": beside[seat.seat_id][0],
                    "place_in_row": beside[seat.seat_id][1],
                }
                for ordinal, seat in enumerate(seats)
            ]
            await queries.insert_seat_map(tx, values, rows)
        return PlanImported(seat_map_id, plan.name, version, len(seats), "changed" if newest else "added")

    async def import_events(self, drafts: Sequence[EventDraft]) -> list[EventImported]:
        """Adds or changes all events of a file, or none; ImportRefused with the path of what is in the way."""
        async with self._database.writer() as tx:
            await queries.lock_imports(tx)
            return [await _import_event(tx, draft) for draft in drafts]


async def _import_event(tx: Transaction, draft: EventDraft) -> EventImported:
    now = utc_now()
    draft = await _known_again(tx, draft)
    seat_map_id = await _seat_map_of(tx, draft)
    digest = _digest(draft, seat_map_id)
    known = await queries.event_state(tx, draft.event_id)
    before = _standing_of(known) if known is not None else None
    standing = standing_after(draft, before, _venue_of(draft, before), now)
    sales = _sales(draft, standing)
    if known is not None and known["digest"] == digest:
        return EventImported(draft.event_id, draft.title, "unchanged", standing, sales)
    seats = await queries.seats_of(tx, seat_map_id) if seat_map_id else []
    published = await _published(tx, draft.event_id, known["seat_map_id"]) if known is not None else None
    sold = sellable(draft, _categories(seats), published)
    if published is not None:
        check_change(draft, published, sold)
    version = known["version"] + 1 if known is not None else 1
    values = _event_values(draft, standing, seat_map_id) | {"version": version, "digest": digest}
    await queries.put_event(tx, _venue_values(standing.venue), values, _classes(draft, sold))
    await _publish(tx, draft, sales, sold, seats, standing)
    if changes := changes_for_holders(before, standing, now):
        await tx.publish(_changed(draft, standing, version, changes))
    return EventImported(draft.event_id, draft.title, "changed" if known is not None else "added", standing, sales)


async def _known_again(tx: Transaction, draft: EventDraft) -> EventDraft:
    """An event that its file names by its page alone is the one of that page that starts then, or was to start then."""
    if draft.address is None:
        return draft
    identifiers = await queries.events_of_address(tx, draft.address)
    for moment in (draft.starts_at, draft.previous_starts_at):
        if moment in identifiers:
            return replace(draft, identifier=identifiers[moment])
    return draft


def _standing_of(known: Row) -> Standing:
    venue = Venue(known["venue_name"], known["street"], known["city"], known["country"])
    names = ("state", "title", "starts_at", "previous_starts_at", "doors_at", "ends_at", "code_edition")
    return Standing(**{name: known[name] for name in names}, venue=venue)


def _venue_of(draft: EventDraft, before: Standing | None) -> Venue:
    """Where it is; of an event that moved online and names no place, where it was to be."""
    if draft.venue is not None:
        return draft.venue
    return before.venue if before is not None else Venue("Online", "", "", "")


def _sales(draft: EventDraft, standing: Standing) -> dict[str, Sale]:
    over_at = standing.ends_at or standing.starts_at
    return {cls.name: _sale(draft, cls, standing, over_at) for cls in draft.classes}


def _sale(draft: EventDraft, cls: ClassDraft, standing: Standing, over_at: datetime) -> Sale:
    return sale_of_class(standing.state, draft.on_sale, over_at, cls.availability, cls.sale_begins_at, cls.sale_ends_at)


async def _seat_map_of(tx: Transaction, draft: EventDraft) -> UUID | None:
    if draft.plan_name is None:
        return None
    newest = await queries.newest_seat_map(tx, draft.plan_name)
    if newest is None:
        raise ImportRefused(
            f"{draft.path}.onsale:seatingPlan" if draft.path else "onsale:seatingPlan",
            f"There is no seating plan named “{draft.plan_name}”. Load its file before, or in the same command.",
        )
    seat_map_id: UUID = newest["seat_map_id"]
    return seat_map_id


async def _published(tx: Transaction, event_id: UUID, seat_map_id: UUID | None) -> Sellable:
    """What was published of this event for inventory last time."""
    classes = {row["name"]: (row["kind"], row["capacity"]) for row in await queries.classes_of(tx, event_id)}
    seats = _categories(await queries.seats_of(tx, seat_map_id)) if seat_map_id else {}
    seated = {name for name, (kind, _) in classes.items() if kind == "seated"}
    return Sellable(classes, {seat_id: category for seat_id, category in seats.items() if category in seated})


async def _publish(
    tx: Transaction,
    draft: EventDraft,
    sales: Mapping[str, Sale],
    sold: Sellable,
    seats: Sequence[Row],
    standing: Standing,
) -> None:
    classes = [
        PublishedClass(
            class_id=draft.class_id(name),
            name=name,
            kind=kind,
            capacity=capacity,
            obstacle=sales[name].obstacle,
            sale_begins_at=sales[name].begins_at,
            sale_ends_at=sales[name].ends_at,
        )
        for name, (kind, capacity) in sold.classes.items()
    ]
    await tx.publish(
        EventPublished(
            event_id=draft.event_id,
            title=draft.title,
            starts_at=draft.starts_at,
            # Whether any class may be sold at some time, for readers of the event alone.
            on_sale=any(sale.obstacle is None for sale in sales.values()),
            state=standing.state,
            max_per_order=draft.max_per_order,
            classes=classes,
        )
    )
    on_sale = [
        PublishedSeat(
            seat_id=seat["seat_id"],
            label=seat["label"],
            class_id=draft.class_id(seat["category"]),
            # A seat map that was imported before this was kept does not know: then nobody is beside anybody.
            row_id=seat["row_id"] or seat["seat_id"],
            place_in_row=seat["place_in_row"] or 0,
        )
        for seat in seats
        if seat["seat_id"] in sold.seats
    ]
    parts = [on_sale[start : start + SEATS_PER_PART] for start in range(0, len(on_sale), SEATS_PER_PART)]
    for number, part in enumerate(parts, start=1):
        await tx.publish(SeatsPublished(event_id=draft.event_id, part=number, parts=len(parts), seats=part))


def _changed(draft: EventDraft, standing: Standing, version: int, changes: list[Change]) -> EventChanged:
    venue = standing.venue
    return EventChanged(
        event_id=draft.event_id,
        version=version,
        state=standing.state,
        changes=changes,
        title=draft.title,
        starts_at=draft.starts_at,
        doors_at=draft.doors_at,
        time_zone=draft.time_zone,
        venue_name=venue.name,
        venue_street=venue.street or None,
        venue_city=venue.city,
        venue_country=venue.country or None,
        previous_starts_at=standing.previous_starts_at,
        image=draft.image,
        code_edition=standing.code_edition,
    )


def _categories(seats: Sequence[Row]) -> dict[str, str]:
    return {seat["seat_id"]: seat["category"] for seat in seats}


def _digest(draft: EventDraft, seat_map_id: UUID | None) -> bytes:
    """Tells whether anything changes; where in its file an event stands does not matter."""
    content = replace(draft, path="", classes=tuple(replace(cls, path="") for cls in draft.classes))
    return hashlib.sha256(repr((content, seat_map_id)).encode()).digest()


def _venue_values(venue: Venue) -> dict[str, Any]:
    return {
        "venue_id": venue.venue_id,
        "name": venue.name,
        "street": venue.street,
        "city": venue.city,
        "country": venue.country,
    }


def _event_values(draft: EventDraft, standing: Standing, seat_map_id: UUID | None) -> dict[str, Any]:
    venue = standing.venue
    return {
        "event_id": draft.event_id,
        "identifier": draft.identifier,
        "title": draft.title,
        "description": draft.description,
        "starts_at": draft.starts_at,
        "doors_at": draft.doors_at,
        "ends_at": draft.ends_at,
        "time_zone": draft.time_zone,
        "organiser_name": draft.organiser_name,
        "image": draft.image,
        "venue_id": venue.venue_id,
        "seat_map_id": seat_map_id,
        "currency": draft.currency,
        "on_sale": draft.on_sale,
        "max_per_order": draft.max_per_order,
        "max_per_buyer": draft.max_per_buyer,
        "state": standing.state,
        "previous_starts_at": standing.previous_starts_at,
        "code_edition": standing.code_edition,
        "search_text": search_text(
            draft.title, venue.name, venue.city or venue.street, draft.organiser_name, *draft.performers
        ),
    }


def _classes(draft: EventDraft, sold: Sellable) -> list[dict[str, Any]]:
    return [
        {
            "class_id": draft.class_id(cls.name),
            "event_id": draft.event_id,
            "position": position,
            "name": cls.name,
            "description": cls.description,
            "kind": cls.kind,
            "price_minor": cls.price_minor,
            "capacity": sold.classes[cls.name][1],
            "colour": cls.colour,
            "availability": cls.availability,
            "sale_begins_at": cls.sale_begins_at,
            "sale_ends_at": cls.sale_ends_at,
        }
        for position, cls in enumerate(draft.classes)
    ]
