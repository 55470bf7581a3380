"""All SQL of this service. This database's clock decides when doors open, lots are drawn and turns end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from services.waitingroom.domain import Entry, Sale

_SALE = """
    event_id, doors_open_at, starts_at, rate, rate_now, most_active, seed, drawn_at, paused, ended, serving, credit,
    last_number, advanced_at, places_left, places_in_carts, challenge
"""
# Lots of a great crowd are drawn by one statement, which takes longer than others may: of a million people, minutes perhaps.
# Given up and begun anew it would never end, while nobody waits for it but those who have waited for the draw.
DRAWING_SECONDS = 900
# So many sales have a step taken of them before it is looked anew which are due.
SALES_AT_ONCE = 1000
_ENTRY = "entry_id, person_id, number, until, passed, done"


async def sale(reads: Reads, event_id: UUID) -> tuple[Sale, datetime] | None:
    """A sale, and what time it is."""
    query = text(f"SELECT {_SALE}, now() AS now FROM sale WHERE event_id = :event_id")  # noqa: S608  # a constant
    found = (await reads.execute(query, {"event_id": event_id}, name="waitingroom.sale")).mappings().one_or_none()
    return _sale_of(found) if found else None


async def lock_sale(tx: Transaction, event_id: UUID) -> tuple[Sale, datetime] | None:
    """The same, for somebody who is about to change it. Whoever joins meanwhile does not wait for it, nor is waited for."""
    # Each entry that is being inserted has a lock on its sale's key, and FOR UPDATE would wait until its join has ended.
    query = text(f"SELECT {_SALE}, now() AS now FROM sale WHERE event_id = :event_id FOR NO KEY UPDATE")  # noqa: S608
    found = (await tx.execute(query, {"event_id": event_id}, name="waitingroom.lock_sale")).mappings().one_or_none()
    return _sale_of(found) if found else None


async def take_due_sale(tx: Transaction, event_id: UUID) -> tuple[Sale, datetime] | None:
    """A sale to take a step of, unless another process takes one at this moment. People who join do not keep it from that."""
    locked = "FOR NO KEY UPDATE SKIP LOCKED"
    query = text(f"SELECT {_SALE}, now() AS now FROM sale WHERE event_id = :event_id {locked}")  # noqa: S608  # constants
    found = (await tx.execute(query, {"event_id": event_id}, name="waitingroom.take_sale")).mappings().one_or_none()
    return _sale_of(found) if found else None


async def sales_under_way(reads: Reads, soon_seconds: float) -> dict[UUID, bool]:
    """Sales that have not ended and have begun, or begin within so many seconds; whether they have begun.

    Of more than one look can take, those come first of which no step was taken for longest: each has its turn.
    """
    query = text("""
        SELECT event_id, starts_at <= now() AS has_begun FROM sale
        WHERE NOT ended AND starts_at <= now() + make_interval(secs => :soon)
        ORDER BY coalesce(advanced_at, starts_at) LIMIT :most
    """)
    parameters = {"soon": soon_seconds, "most": SALES_AT_ONCE}
    rows = await reads.execute(query, parameters, name="waitingroom.sales_under_way")
    return {row["event_id"]: row["has_begun"] for row in rows.mappings()}


async def insert_sale(tx: Transaction, values: Mapping[str, Any]) -> bool:
    """Announces a sale. False if there is one."""
    query = text("""
        INSERT INTO sale (event_id, doors_open_at, starts_at, rate, rate_now, most_active, seed)
        VALUES (:event_id, :doors_open_at, :starts_at, :rate, CAST(:rate AS integer), :most_active, :seed)
        ON CONFLICT DO NOTHING
    """)
    return bool((await tx.execute(query, dict(values), name="waitingroom.insert_sale")).rowcount)


async def change_sale(tx: Transaction, event_id: UUID, changes: Mapping[str, Any]) -> None:
    """Changes columns of a locked sale."""
    assigned = ", ".join(f"{name} = :{name}" for name in sorted(changes))
    query = text(f"UPDATE sale SET {assigned} WHERE event_id = :event_id")  # noqa: S608  # names of our own fields
    await tx.execute(query, {**changes, "event_id": event_id}, name="waitingroom.change_sale")


async def join(tx: Transaction, entry_id: UUID, event_id: UUID, person_id: UUID, address: str) -> bool:
    """Puts a person at the end of the queue. False if they are in it already."""
    query = text("""
        INSERT INTO entry (entry_id, event_id, person_id, address) VALUES (:entry_id, :event_id, :person_id, :address)
        ON CONFLICT DO NOTHING
    """)
    parameters = {"entry_id": entry_id, "event_id": event_id, "person_id": person_id, "address": address}
    return bool((await tx.execute(query, parameters, name="waitingroom.insert_entry")).rowcount)


async def from_address(tx: Transaction, event_id: UUID, address: str, most: int) -> int:
    """How many from an address wait, have their turn or are inside, counted up to `most`; who missed theirs does not.

    Who comes from there at the same moment waits for this one."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await tx.execute(lock, {"key": f"{event_id} {address}"}, name="waitingroom.lock_address")
    query = text("""
        SELECT count(*) FROM (
            SELECT FROM entry
            WHERE event_id = :event_id AND address = :address AND NOT is_over AND NOT done
              AND (until IS NULL OR until > now())
            LIMIT :most
        ) AS first
    """)
    parameters = {"event_id": event_id, "address": address, "most": most}
    return int((await tx.execute(query, parameters, name="waitingroom.from_address")).scalar())


async def use_solution(tx: Transaction, solution_id: UUID, event_id: UUID, expires_at: datetime) -> bool:
    """Uses a proof up. False if it was used; who sends the same at the same moment waits here for who was first."""
    query = text("""
        INSERT INTO used_solution (solution_id, event_id, expires_at) VALUES (:solution_id, :event_id, :expires_at)
        ON CONFLICT DO NOTHING
    """)
    parameters = {"solution_id": solution_id, "event_id": event_id, "expires_at": expires_at}
    return bool((await tx.execute(query, parameters, name="waitingroom.use_solution")).rowcount)


async def forget_solutions(tx: Transaction, grace_seconds: float, most: int) -> int:
    """Removes some used proofs that expired so many seconds ago, and would be refused for that; returns how many."""
    query = text("""
        DELETE FROM used_solution WHERE solution_id IN (
            SELECT solution_id FROM used_solution
            WHERE expires_at < now() - make_interval(secs => :grace) ORDER BY expires_at LIMIT :most
        )
    """)
    parameters = {"grace": grace_seconds, "most": most}
    return (await tx.execute(query, parameters, name="waitingroom.forget_solutions")).rowcount


async def entry_of(reads: Reads, event_id: UUID, person_id: UUID) -> Entry | None:
    """A person's entry."""
    query = text(f"SELECT {_ENTRY} FROM entry WHERE event_id = :event_id AND person_id = :person_id AND NOT is_over")  # noqa: S608
    parameters = {"event_id": event_id, "person_id": person_id}
    found = (await reads.execute(query, parameters, name="waitingroom.entry_of")).mappings().one_or_none()
    return Entry(**found) if found else None


async def leave(tx: Transaction, entry_id: UUID) -> None:
    """An entry that missed its turn makes room for another of the same person."""
    query = text("UPDATE entry SET is_over = true WHERE entry_id = :entry_id")
    await tx.execute(query, {"entry_id": entry_id}, name="waitingroom.leave")


async def let_inside(tx: Transaction, entry_id: UUID, pass_seconds: int) -> datetime | None:
    """Gives an entry whose turn it is a pass; until when. None if its turn is over, or it has one."""
    query = text("""
        UPDATE entry SET passed = true, until = now() + make_interval(secs => :seconds)
        WHERE entry_id = :entry_id AND NOT passed AND NOT done AND until > now() RETURNING until
    """)
    parameters = {"entry_id": entry_id, "seconds": pass_seconds}
    until: datetime | None = (await tx.execute(query, parameters, name="waitingroom.let_inside")).scalar()
    return until


async def finish(tx: Transaction, event_id: UUID, person_id: UUID) -> None:
    """A person who was let in has bought, or given up: another one can come in."""
    query = text("""
        UPDATE entry SET done = true WHERE event_id = :event_id AND person_id = :person_id AND passed AND NOT done
    """)
    await tx.execute(query, {"event_id": event_id, "person_id": person_id}, name="waitingroom.finish")


async def active(tx: Transaction, event_id: UUID) -> int:
    """How many are in, or may come in now."""
    query = text("SELECT count(*) FROM entry WHERE event_id = :event_id AND until > now() AND NOT done")
    return int((await tx.execute(query, {"event_id": event_id}, name="waitingroom.active")).scalar())


async def draw_lots(tx: Transaction, event_id: UUID, seed: str) -> int:
    """Gives everybody who is there a number, by their lots (`domain.lot`), however many they are. How many."""
    patience = text(f"SET LOCAL statement_timeout = '{DRAWING_SECONDS}s'")
    await tx.execute(patience, name="waitingroom.patience_to_draw")
    query = text("""
        UPDATE entry SET number = drawn.number
        FROM (
            SELECT entry_id, row_number() OVER (
                ORDER BY sha256(convert_to(CAST(:seed AS text) || ':' || CAST(entry_id AS text), 'UTF8'))
            ) AS number
            FROM entry WHERE event_id = :event_id AND number IS NULL
        ) AS drawn
        WHERE entry.entry_id = drawn.entry_id
    """)
    return (await tx.execute(query, {"event_id": event_id, "seed": seed}, name="waitingroom.draw_lots")).rowcount


async def number_late_comers(tx: Transaction, event_id: UUID, after: int) -> int:
    """Gives those who came after the draw the numbers behind `after`, first come, first served. How many."""
    query = text("""
        UPDATE entry SET number = late.number
        FROM (
            SELECT entry_id, CAST(:after AS integer) + row_number() OVER (ORDER BY seq) AS number
            FROM entry WHERE event_id = :event_id AND number IS NULL
        ) AS late
        WHERE entry.entry_id = late.entry_id
    """)
    parameters = {"event_id": event_id, "after": after}
    return (await tx.execute(query, parameters, name="waitingroom.number_late_comers")).rowcount


async def give_turns(tx: Transaction, event_id: UUID, after: int, up_to: int, turn_seconds: int) -> None:
    """It is the turn of these numbers, from now on."""
    query = text("""
        UPDATE entry SET until = now() + make_interval(secs => :seconds)
        WHERE event_id = :event_id AND number > :after AND number <= :up_to
    """)
    parameters = {"event_id": event_id, "after": after, "up_to": up_to, "seconds": turn_seconds}
    await tx.execute(query, parameters, name="waitingroom.give_turns")


async def drawn_entries(reads: Reads, event_id: UUID, after: UUID | None, limit: int) -> list[Row]:
    """Who was there when lots were drawn, by entry: its id and number. Nobody's name."""
    query = text("""
        SELECT entry_id, number FROM entry
        WHERE event_id = :event_id AND entry_id > :after AND number <= (SELECT drawn FROM sale WHERE event_id = :event_id)
        ORDER BY entry_id LIMIT :limit
    """)
    parameters = {"event_id": event_id, "after": after or UUID(int=0), "limit": limit}
    return list((await reads.execute(query, parameters, name="waitingroom.drawn_entries")).mappings())


def _sale_of(row: Row) -> tuple[Sale, datetime]:
    values = dict(row)
    now: datetime = values.pop("now")
    return Sale(**values), now
