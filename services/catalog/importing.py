"""Use cases: taking in seating plans and events. One transaction per file; what it publishes is written in the same one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import RowMapping

from chassis.db import Database, Transaction
from services.catalog import queries
from services.catalog.domain import (
    SEATS_PER_PART,
    EventDraft,
    ImportRefused,
    SeatingPlan,
    Sellable,
    check_change,
    search_text,
    sellable,
    stable_id,
)
from services.catalog.events import EventPublished, PublishedClass, PublishedSeat, SeatsPublished

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
            rows = [
                {
                    "seat_map_id": seat_map_id,
                    "seat_id": seat.seat_id,
                    "ordinal": ordinal,
                    "label": seat.label,
                    "category": seat.category,
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
    seat_map_id = await _seat_map_of(tx, draft)
    digest = _digest(draft, seat_map_id)
    known = await queries.event_state(tx, draft.event_id)
    if known is not None and known["digest"] == digest:
        return EventImported(draft.event_id, draft.title, "unchanged")
    seats = await queries.seats_of(tx, seat_map_id) if seat_map_id else []
    sold = sellable(draft, _categories(seats))
    if known is not None:
        check_change(draft, await _published(tx, draft.event_id, known["seat_map_id"]), sold)
    await queries.put_event(tx, _venue_values(draft), _event_values(draft, seat_map_id, digest), _classes(draft, sold))
    await _publish(tx, draft, sold, seats)
    return EventImported(draft.event_id, draft.title, "changed" if known is not None else "added")


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
    """What inventory was told of this event last time."""
    classes = {row["name"]: (row["kind"], row["capacity"]) for row in await queries.classes_of(tx, event_id)}
    seats = _categories(await queries.seats_of(tx, seat_map_id)) if seat_map_id else {}
    seated = {name for name, (kind, _) in classes.items() if kind == "seated"}
    return Sellable(classes, {seat_id: category for seat_id, category in seats.items() if category in seated})


async def _publish(tx: Transaction, draft: EventDraft, sold: Sellable, seats: Sequence[RowMapping]) -> None:
    classes = [
        PublishedClass(class_id=draft.class_id(name), name=name, kind=kind, capacity=capacity)
        for name, (kind, capacity) in sold.classes.items()
    ]
    await tx.publish(
        EventPublished(
            event_id=draft.event_id,
            title=draft.title,
            starts_at=draft.starts_at,
            on_sale=draft.on_sale,
            max_per_order=draft.max_per_order,
            classes=classes,
        )
    )
    on_sale = [
        PublishedSeat(seat_id=seat["seat_id"], label=seat["label"], class_id=draft.class_id(seat["category"]))
        for seat in seats
        if seat["seat_id"] in sold.seats
    ]
    parts = [on_sale[start : start + SEATS_PER_PART] for start in range(0, len(on_sale), SEATS_PER_PART)]
    for number, part in enumerate(parts, start=1):
        await tx.publish(SeatsPublished(event_id=draft.event_id, part=number, parts=len(parts), seats=part))


def _categories(seats: Sequence[RowMapping]) -> dict[str, str]:
    return {seat["seat_id"]: seat["category"] for seat in seats}


def _digest(draft: EventDraft, seat_map_id: UUID | None) -> bytes:
    """Tells whether anything changes; where in its file an event stands does not matter."""
    content = replace(draft, path="", classes=tuple(replace(cls, path="") for cls in draft.classes))
    return hashlib.sha256(repr((content, seat_map_id)).encode()).digest()


def _venue_values(draft: EventDraft) -> dict[str, Any]:
    venue = draft.venue
    return {
        "venue_id": venue.venue_id,
        "name": venue.name,
        "street": venue.street,
        "city": venue.city,
        "country": venue.country,
    }


def _event_values(draft: EventDraft, seat_map_id: UUID | None, digest: bytes) -> dict[str, Any]:
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
        "venue_id": draft.venue.venue_id,
        "seat_map_id": seat_map_id,
        "currency": draft.currency,
        "on_sale": draft.on_sale,
        "max_per_order": draft.max_per_order,
        "search_text": search_text(draft.title, draft.venue.name, draft.venue.city, draft.organiser_name),
        "digest": digest,
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
        }
        for position, cls in enumerate(draft.classes)
    ]
