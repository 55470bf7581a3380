"""All SQL of inventory. Locks are taken in one order: hold, then classes by id, then seats by id."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chassis.db import Reads, Transaction
from chassis.statements import text
from services.inventory.domain import (
    ClassKind,
    ClassRow,
    Granted,
    Line,
    PromiseBroken,
    SeatRow,
    SeatState,
)
from tracing.spans import current_traceparent

SWEEP_BATCH = 200
# Whether a class is on sale now, by this database's clock: a sale begins and ends by itself. And from when, if that lies ahead.
SALE = """
    (for_sale AND COALESCE(sale_begins_at <= now(), true) AND COALESCE(now() < sale_ends_at, true)) AS is_on_sale,
    CASE WHEN for_sale AND sale_begins_at > now() THEN sale_begins_at END AS sale_begins_at,
    (SELECT needs_pass FROM event WHERE event.event_id = ticket_class.event_id) AS needs_pass
"""
_ONSALE = {"for_sale": True, "sale_begins_at": None, "sale_ends_at": None}


def lines_to_json(lines: tuple[Line, ...]) -> str:
    """Lines as they are stored."""
    return orjson.dumps(lines, default=str).decode()  # asyncpg has a UUID of its own


def lines_of_json(stored: list[dict[str, Any]]) -> tuple[Line, ...]:
    """Stored lines as the domain knows them."""
    return tuple(Line(UUID(line["class_id"]), line["seat_id"], line["seat_label"], line["quantity"]) for line in stored)


async def event_exists(reads: Reads, event_id: UUID) -> bool:
    """Whether the event's places are known."""
    query = text("SELECT 1 FROM event WHERE event_id = :event_id")
    return (await reads.execute(query, {"event_id": event_id}, name="inventory.event_exists")).scalar() is not None


async def lock_classes(tx: Transaction, event_id: UUID, class_ids: list[UUID]) -> dict[UUID, ClassRow]:
    """Locks classes of an event, in the order of their ids."""
    if not class_ids:
        return {}
    query = text(f"""
        SELECT class_id, kind, capacity, held, sold, {SALE} FROM ticket_class
        WHERE event_id = :event_id AND class_id = ANY(:class_ids) ORDER BY class_id FOR UPDATE
    """)  # noqa: S608  # a constant of this module
    rows = await tx.execute(query, {"event_id": event_id, "class_ids": class_ids}, name="inventory.lock_classes")
    return {row["class_id"]: ClassRow(**{**row, "kind": ClassKind(row["kind"])}) for row in rows.mappings()}


async def lock_seats(tx: Transaction, event_id: UUID, seat_ids: list[str]) -> dict[str, SeatRow]:
    """Locks seats of an event, in the order of their ids."""
    if not seat_ids:
        return {}
    query = text(f"""
        SELECT seat.seat_id, seat.class_id, seat.label, seat.state, {SALE}
        FROM seat JOIN ticket_class USING (class_id)
        WHERE seat.event_id = :event_id AND seat.seat_id = ANY(:seat_ids) ORDER BY seat.seat_id FOR UPDATE OF seat
    """)  # noqa: S608  # a constant of this module
    rows = await tx.execute(query, {"event_id": event_id, "seat_ids": seat_ids}, name="inventory.lock_seats")
    return {row["seat_id"]: SeatRow(**{**row, "state": SeatState(row["state"])}) for row in rows.mappings()}


async def holds_by_id(reads: Reads, hold_ids: list[UUID]) -> dict[UUID, Any]:
    """Holds as rows, by id."""
    query = text(
        "SELECT hold_id, event_id, order_id, state, expires_at, lines FROM hold WHERE hold_id = ANY(:hold_ids)"
    )
    rows = await reads.execute(query, {"hold_ids": hold_ids}, name="inventory.holds_by_id")
    return {row["hold_id"]: row for row in rows.mappings()}


async def lock_hold(tx: Transaction, event_id: UUID, hold_id: UUID) -> Any | None:
    """Locks one hold; None if there is none."""
    query = text("""
        SELECT hold_id, event_id, order_id, state, expires_at, lines FROM hold
        WHERE hold_id = :hold_id AND event_id = :event_id FOR UPDATE
    """)
    parameters = {"hold_id": hold_id, "event_id": event_id}
    return (await tx.execute(query, parameters, name="inventory.lock_hold")).mappings().one_or_none()


async def take_passes(tx: Transaction, passes: dict[UUID, UUID]) -> dict[UUID, UUID]:
    """Takes passes for the holds that want them, and waits for who takes one at the same moment. For which hold each is used."""
    if not passes:
        return {}
    take = text("""
        INSERT INTO used_pass (pass_id, hold_id)
        SELECT wanted.pass_id, wanted.hold_id
        FROM unnest(CAST(:pass_ids AS uuid[]), CAST(:hold_ids AS uuid[])) AS wanted(pass_id, hold_id)
        ON CONFLICT DO NOTHING
    """)
    # In one order, so that two batches cannot wait for each other.
    pass_ids = sorted(passes)
    parameters = {"pass_ids": pass_ids, "hold_ids": [passes[pass_id] for pass_id in pass_ids]}
    await tx.execute(take, parameters, name="inventory.take_passes")
    query = text("SELECT pass_id, hold_id FROM used_pass WHERE pass_id = ANY(:pass_ids)")
    rows = await tx.execute(query, {"pass_ids": pass_ids}, name="inventory.used_passes")
    return {row["pass_id"]: row["hold_id"] for row in rows.mappings()}


async def give_passes_back(tx: Transaction, hold_ids: list[UUID]) -> None:
    """Passes of wishes that were refused are as new."""
    query = text("DELETE FROM used_pass WHERE hold_id = ANY(:hold_ids)")
    await tx.execute(query, {"hold_ids": hold_ids}, name="inventory.give_passes_back")


async def schedule_sale(tx: Transaction, event_id: UUID, version: int, needs_pass: bool) -> bool:
    """Learns whether an event's places need a pass, unless what is known is of a newer version. False if the event is unknown."""
    query = text("""
        UPDATE event SET needs_pass = CASE WHEN sale_version <= :version THEN :needs_pass ELSE needs_pass END,
            sale_version = GREATEST(sale_version, :version)
        WHERE event_id = :event_id
    """)
    parameters = {"event_id": event_id, "version": version, "needs_pass": needs_pass}
    return bool((await tx.execute(query, parameters, name="inventory.schedule_sale")).rowcount)


async def crowd(reads: Reads, event_id: UUID) -> Any | None:
    """How many places of an event are left, and how many are held and not paid for; None if it is not known."""
    query = text("""
        SELECT left_of_classes + free_seats AS left, held_of_classes + held_seats AS in_carts
        FROM (
            SELECT count(*) AS classes, COALESCE(sum(capacity - held - sold) FILTER (WHERE kind = 'general'), 0) AS left_of_classes,
                COALESCE(sum(held), 0) AS held_of_classes
            FROM ticket_class WHERE event_id = :event_id
        ) AS of_classes, (
            SELECT count(*) FILTER (WHERE state = 'free') AS free_seats, count(*) FILTER (WHERE state = 'held') AS held_seats
            FROM seat WHERE event_id = :event_id
        ) AS of_seats
        WHERE classes > 0
    """)
    return (await reads.execute(query, {"event_id": event_id}, name="inventory.crowd")).mappings().one_or_none()


async def insert_holds(tx: Transaction, event_id: UUID, granted: list[Granted]) -> dict[UUID, Any]:
    """Writes granted holds, in one statement. When each of them expires, by id: this database's clock decides."""
    query = text("""
        INSERT INTO hold (hold_id, event_id, order_id, state, expires_at, lines, traceparent)
        SELECT granted.hold_id, :event_id, granted.order_id, 'held',
               now() + make_interval(secs => granted.ttl_seconds), CAST(granted.lines AS jsonb), granted.traceparent
        FROM unnest(CAST(:hold_ids AS uuid[]), CAST(:order_ids AS uuid[]), CAST(:ttls AS int[]), CAST(:lines AS text[]),
                    CAST(:traceparents AS text[]))
             AS granted(hold_id, order_id, ttl_seconds, lines, traceparent)
        RETURNING hold_id, expires_at
    """)
    parameters = {
        "event_id": event_id,
        "hold_ids": [each.wish.hold_id for each in granted],
        "order_ids": [each.wish.order_id for each in granted],
        "ttls": [each.wish.ttl_seconds for each in granted],
        "lines": [lines_to_json(each.lines) for each in granted],
        "traceparents": [each.wish.traceparent for each in granted],
    }
    rows = await tx.execute(query, parameters, name="inventory.insert_holds")
    return {row["hold_id"]: row["expires_at"] for row in rows.mappings()}


async def add_to_counters(tx: Transaction, held: dict[UUID, int], sold: dict[UUID, int]) -> None:
    """Adds to the counters of general admission; the constraint refuses what would be too much.

    Raises `PromiseBroken` if one of the classes is not there.
    """
    class_ids = sorted({*held, *sold})
    if not class_ids:
        return
    query = text("""
        WITH locked AS MATERIALIZED (
            SELECT class_id FROM ticket_class WHERE class_id = ANY(:class_ids) ORDER BY class_id FOR UPDATE
        )
        UPDATE ticket_class SET held = ticket_class.held + change.held, sold = ticket_class.sold + change.sold
        FROM unnest(CAST(:class_ids AS uuid[]), CAST(:held AS int[]), CAST(:sold AS int[])) AS change(class_id, held, sold)
        JOIN locked USING (class_id)
        WHERE ticket_class.class_id = change.class_id
    """)
    parameters = {
        "class_ids": class_ids,
        "held": [held.get(class_id, 0) for class_id in class_ids],
        "sold": [sold.get(class_id, 0) for class_id in class_ids],
    }
    changed = await tx.execute(query, parameters, name="inventory.add_to_counters")
    _same(len(class_ids), changed.rowcount, "ticket classes")


async def take_seats(tx: Transaction, event_id: UUID, owners: dict[str, UUID], state: SeatState) -> int:
    """Gives free seats to holds. How many were free."""
    if not owners:
        return 0
    query = text("""
        UPDATE seat SET state = :state, hold_id = wanted.hold_id
        FROM unnest(CAST(:seat_ids AS text[]), CAST(:hold_ids AS uuid[])) AS wanted(seat_id, hold_id)
        WHERE seat.event_id = :event_id AND seat.seat_id = wanted.seat_id AND seat.state = 'free'
    """)
    parameters = {
        "event_id": event_id,
        "state": state.value,
        "seat_ids": list(owners),
        "hold_ids": list(owners.values()),
    }
    return (await tx.execute(query, parameters, name="inventory.take_seats")).rowcount


async def hold_seats(tx: Transaction, event_id: UUID, owners: dict[str, UUID]) -> None:
    """Gives seats that are locked and free to holds. Raises `PromiseBroken` if one of them was not free."""
    _same(len(owners), await take_seats(tx, event_id, owners, SeatState.HELD), "free seats")


async def sell_held_seats(tx: Transaction, hold_id: UUID, seats: int) -> None:
    """Held seats of a hold become sold, so many. Raises `PromiseBroken` if it holds another number of them."""
    query = text("""
        WITH locked AS MATERIALIZED (
            SELECT event_id, seat_id FROM seat WHERE hold_id = :hold_id AND state = 'held' ORDER BY seat_id FOR UPDATE
        )
        UPDATE seat SET state = 'sold' FROM locked WHERE (seat.event_id, seat.seat_id) = (locked.event_id, locked.seat_id)
    """)
    sold = await tx.execute(query, {"hold_id": hold_id}, name="inventory.sell_held_seats")
    _same(seats, sold.rowcount, "held seats")


async def free_seats(tx: Transaction, hold_ids: list[UUID]) -> None:
    """All seats of these holds become free, however many: the database sees to it that a hold which ends keeps none."""
    query = text("""
        WITH locked AS MATERIALIZED (
            SELECT event_id, seat_id FROM seat WHERE hold_id = ANY(:hold_ids) ORDER BY event_id, seat_id FOR UPDATE
        )
        UPDATE seat SET state = 'free', hold_id = NULL FROM locked
        WHERE (seat.event_id, seat.seat_id) = (locked.event_id, locked.seat_id)
    """)
    await tx.execute(query, {"hold_ids": hold_ids}, name="inventory.free_seats")


async def prolong_hold(tx: Transaction, hold_id: UUID, ttl_seconds: int, longest_seconds: int) -> datetime:
    """Moves the end of a locked hold, by this database's clock; when that is now."""
    query = text("""
        UPDATE hold SET expires_at = GREATEST(expires_at, LEAST(
            now() + make_interval(secs => :ttl_seconds), created_at + make_interval(secs => :longest_seconds)))
        WHERE hold_id = :hold_id RETURNING expires_at
    """)
    parameters = {"hold_id": hold_id, "ttl_seconds": ttl_seconds, "longest_seconds": longest_seconds}
    expires_at: datetime = (await tx.execute(query, parameters, name="inventory.prolong_hold")).scalar_one()
    return expires_at


async def set_hold_state(tx: Transaction, hold_id: UUID, was: str, state: str) -> None:
    """Ends or commits a locked hold, and notes it, in one statement. Raises `PromiseBroken` if it is not as it `was`."""
    query = text("""
        WITH changed AS (
            UPDATE hold SET state = :state WHERE hold_id = :hold_id AND state = :was RETURNING hold_id, state
        ), noted AS (
            INSERT INTO hold_change (hold_id, state, was, traceparent)
            SELECT hold_id, state, :was, :traceparent FROM changed ON CONFLICT DO NOTHING
        )
        SELECT hold_id FROM changed
    """)
    parameters = {"hold_id": hold_id, "state": state, "was": was, "traceparent": current_traceparent()}
    changed = await tx.execute(query, parameters, name="inventory.set_hold_state")
    _same(1, len(changed.all()), f"holds that are {was}")


async def insert_tombstone(tx: Transaction, event_id: UUID, hold_id: UUID) -> bool:
    """Makes a hold that was never granted impossible. False if it exists by now."""
    query = text("""
        INSERT INTO hold (hold_id, event_id, state, expires_at, lines) VALUES (:hold_id, :event_id, 'released', now(), '[]')
        ON CONFLICT (hold_id) DO NOTHING
    """)
    parameters = {"hold_id": hold_id, "event_id": event_id}
    return bool((await tx.execute(query, parameters, name="inventory.insert_tombstone")).rowcount)


async def held(reads: Reads) -> tuple[bool, bool]:
    """Whether there are holds that are not marked as ended, and whether one of them has run out."""
    query = text("""
        SELECT EXISTS (SELECT FROM hold WHERE state = 'held') AS any_held,
            EXISTS (SELECT FROM hold WHERE state = 'held' AND expires_at <= now()) AS any_overdue
    """)
    found = (await reads.execute(query, name="inventory.any_overdue")).one()
    return found["any_held"], found["any_overdue"]


async def any_overdue(reads: Reads, event_id: UUID) -> bool:
    """Whether a hold of an event has run out and is not marked as ended."""
    query = text("SELECT 1 FROM hold WHERE event_id = :event_id AND state = 'held' AND expires_at <= now() LIMIT 1")
    found = await reads.execute(query, {"event_id": event_id}, name="inventory.any_overdue_of_event")
    return found.scalar() is not None


async def take_overdue_holds(tx: Transaction, event_id: UUID | None) -> list[Any]:
    """Marks overdue holds (of one event, or of all) as expired, a bounded number. Their rows.

    Rows that somebody else has locked are left to them: a hold that is being committed is not overdue any more.
    """
    query = text(f"""
        WITH overdue AS (
            UPDATE hold SET state = 'expired'
            WHERE hold_id IN (
                SELECT hold_id FROM hold WHERE state = 'held' AND expires_at <= now()
                AND NOT EXISTS (SELECT FROM bucket WHERE bucket.bucket = bucket_of(hold.event_id) AND bucket.state <> 'here')
                {"AND event_id = :event_id" if event_id else ""}
                ORDER BY expires_at LIMIT {SWEEP_BATCH} FOR UPDATE SKIP LOCKED
            )
            RETURNING hold_id, event_id, order_id, expires_at, lines, traceparent
        ), noted AS (
            INSERT INTO hold_change (hold_id, state, was, traceparent)
            SELECT hold_id, 'expired', 'held', traceparent FROM overdue ON CONFLICT DO NOTHING
        )
        SELECT hold_id, event_id, order_id, expires_at, lines, traceparent FROM overdue
    """)  # noqa: S608  # constants of this function
    parameters = {"event_id": event_id} if event_id else {}
    return list((await tx.execute(query, parameters, name="inventory.take_overdue_holds")).mappings())


async def availability(reads: Reads, event_id: UUID) -> list[Any]:
    """Capacity and free places of each class: from the counters, or from the seats."""
    query = text("""
        SELECT class.class_id, class.capacity,
               CASE class.kind WHEN 'general' THEN class.capacity - class.held - class.sold
               ELSE (SELECT count(*) FROM seat WHERE seat.class_id = class.class_id AND seat.state = 'free') END AS available
        FROM ticket_class AS class WHERE class.event_id = :event_id ORDER BY class.name, class.class_id
    """)
    return list((await reads.execute(query, {"event_id": event_id}, name="inventory.availability")).mappings())


async def taken_seats(reads: Reads, event_id: UUID) -> list[Any]:
    """Seats that somebody has."""
    query = text("SELECT seat_id, state FROM seat WHERE event_id = :event_id AND state <> 'free' ORDER BY seat_id")
    return list((await reads.execute(query, {"event_id": event_id}, name="inventory.taken_seats")).mappings())


async def event_version(reads: Reads, event_id: UUID) -> int | None:
    """The version of what is known of an event; None if it is not known."""
    query = text("SELECT version FROM event WHERE event_id = :event_id")
    version: int | None = (await reads.execute(query, {"event_id": event_id}, name="inventory.event_version")).scalar()
    return version


async def upsert_event(tx: Transaction, event: dict[str, Any], classes: list[dict[str, Any]]) -> None:
    """Learns of an event and its classes, or of their changes, unless what is known is of a newer version.

    Capacity never falls below what is taken: the constraint refuses.
    """
    if (await tx.execute(_UPSERT_EVENT, event, name="inventory.upsert_event")).rowcount:
        await tx.execute(_UPSERT_CLASS, [_ONSALE | each for each in classes], name="inventory.upsert_classes")


async def insert_seats(tx: Transaction, event_id: UUID, version: int, seats: list[dict[str, Any]]) -> None:
    """Learns of seats. A seat that is there keeps its owner, and what a newer version said of it."""
    query = text("""
        INSERT INTO seat (event_id, seat_id, class_id, label, row_id, place_in_row, version)
        SELECT :event_id, new.seat_id, new.class_id, new.label, new.row_id, new.place_in_row, :version
        FROM unnest(CAST(:seat_ids AS text[]), CAST(:class_ids AS uuid[]), CAST(:labels AS text[]),
                    CAST(:row_ids AS text[]), CAST(:places AS integer[]))
             AS new(seat_id, class_id, label, row_id, place_in_row)
        ON CONFLICT (event_id, seat_id) DO UPDATE
        SET label = excluded.label, class_id = excluded.class_id, row_id = excluded.row_id,
            place_in_row = excluded.place_in_row, version = GREATEST(seat.version, excluded.version)
        WHERE seat.version <= excluded.version OR excluded.version = 0
    """)
    parameters = {
        "event_id": event_id,
        "version": version,
        "seat_ids": [seat["seat_id"] for seat in seats],
        "class_ids": [seat["class_id"] for seat in seats],
        "labels": [seat["label"] for seat in seats],
        "row_ids": [seat.get("row_id") for seat in seats],
        "places": [seat.get("place_in_row") for seat in seats],
    }
    await tx.execute(query, parameters, name="inventory.insert_seats")


_UPSERT_EVENT = text("""
    INSERT INTO event (event_id, title, starts_at, version) VALUES (:event_id, :title, :starts_at, :version)
    ON CONFLICT (event_id) DO UPDATE
    SET title = excluded.title, starts_at = excluded.starts_at, version = GREATEST(event.version, excluded.version)
    WHERE event.version <= excluded.version OR excluded.version = 0
""")
_UPSERT_CLASS = text("""
    INSERT INTO ticket_class (class_id, event_id, name, kind, capacity, for_sale, sale_begins_at, sale_ends_at)
    VALUES (:class_id, :event_id, :name, :kind, :capacity, :for_sale, :sale_begins_at, :sale_ends_at)
    ON CONFLICT (class_id) DO UPDATE SET name = excluded.name, capacity = excluded.capacity, for_sale = excluded.for_sale,
        sale_begins_at = excluded.sale_begins_at, sale_ends_at = excluded.sale_ends_at
""")


def _same(meant: int, changed: int, what: str) -> None:
    if changed != meant:
        raise PromiseBroken(meant, changed, what)
