"""Facts that inventory hears: what catalog publishes becomes places."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.db import Transaction
from chassis.facts import NO_VERSION, Heard
from chassis.inbox import Inbox, Received
from services.inventory import queries
from services.inventory.domain import EventUnknown


class PublishedClass(Heard):
    """A ticket class, as inventory reads it. Facts of before there were dates of sale have none: on sale."""

    class_id: UUID
    name: str
    kind: Literal["general", "seated"]
    capacity: int = Field(ge=0)
    obstacle: str | None = None
    sale_begins_at: datetime | None = None
    sale_ends_at: datetime | None = None


class EventPublished(Heard):
    """An event that was published or changed."""

    event_id: UUID
    title: str
    starts_at: datetime
    classes: list[PublishedClass] = Field(min_length=1)


class PublishedSeat(Heard):
    """A seat, as inventory reads it."""

    seat_id: str
    label: str
    class_id: UUID
    row_id: str | None = None
    place_in_row: int | None = None


class SeatsPublished(Heard):
    """Some of an event's seats."""

    event_id: UUID
    seats: list[PublishedSeat] = Field(min_length=1)


class SaleScheduled(Heard):
    """An event has a waiting room, or has it no more."""

    event_id: UUID
    needs_pass: bool


def make_inbox(shard: int = 0) -> Inbox:
    """What inventory does with each fact. Every shard hears all events: it is then ready to take any of them over."""
    inbox = Inbox("inventory" if shard == 0 else f"inventory-shard-{shard}")

    @inbox.hears("events.catalog.event_published.v1", EventPublished)
    async def learn_event(tx: Transaction, fact: EventPublished, received: Received) -> None:
        event = fact.model_dump(include={"event_id", "title", "starts_at"}) | {"version": received.version}
        classes = [
            {**each.model_dump(exclude={"obstacle"}), "event_id": fact.event_id, "for_sale": each.obstacle is None}
            for each in fact.classes
        ]
        await queries.upsert_event(tx, event, classes)

    @inbox.hears("events.catalog.seats_published.v1", SeatsPublished)
    async def learn_seats(tx: Transaction, fact: SeatsPublished, received: Received) -> None:
        published = await queries.event_version(tx, fact.event_id)
        if published is None:
            raise EventUnknown(
                fact.event_id
            )  # the event's own fact is still on its way: this one is tried again a little later
        if NO_VERSION < received.version < published:
            return  # seats are published after their event, so these are of an earlier time than what is known of it
        await queries.insert_seats(tx, fact.event_id, received.version, [seat.model_dump() for seat in fact.seats])

    @inbox.hears("events.waitingroom.sale_scheduled.v1", SaleScheduled)
    async def learn_sale(tx: Transaction, fact: SaleScheduled, received: Received) -> None:
        if not await queries.schedule_sale(tx, fact.event_id, received.version, fact.needs_pass):
            raise EventUnknown(fact.event_id)  # catalog's fact is still on its way

    return inbox
