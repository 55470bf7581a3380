"""Moves a bucket of events from one shard to another while its places are sold.

First all of it is copied beside the sale. Then the bucket is frozen, which waits for whoever is writing in it; what has changed since
the copy began is copied, both sides are compared, and the other shard says that the bucket is there: from then on it sells. Whoever
comes in between waits for it (shards.py). If anything goes wrong the bucket is thawed where it was, and nothing has happened.

Every shard hears of all events, so what moves is what was sold: holds, their changes and passes, seats' owners, counters. The database
of the other shard holds them to its promises as it does any hold.
"""

# ruff: noqa: S608  # all SQL here is made of constants of this module and the number of a bucket
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from time import perf_counter
from typing import Any, TypeAlias

import asyncpg

# What is changed in a shard by whoever moves a bucket; the trigger of migration 0009 lets it.
_AS_MOVER = "SELECT set_config('onsale.moves_a_bucket', 'yes', true)"
_LOCK_MOVER, _UNLOCK_MOVER = "SELECT pg_try_advisory_lock(7410985)", "SELECT pg_advisory_unlock(7410985)"
# The other shard hears of events by itself, perhaps a moment later.
HEARD_SECONDS, LOOK_SECONDS = 30.0, 0.5
# Longer nobody is kept waiting: the bucket is thawed where it was.
FREEZE_SECONDS = 10.0


class CannotMove(Exception):
    """Why a bucket stays where it is, in a sentence."""


@dataclass(frozen=True)
class Moved:
    """What was moved, for how long nobody could hold or buy in it, and from which shard to which."""

    events: int
    holds: int
    seats: int
    copied_seconds: float
    paused_seconds: float
    source: int = 0
    target: int = 0


@dataclass(frozen=True)
class _Table:
    """What of a table moves: rows of a bucket's events, or of their holds, and of them `columns`."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    is_of_holds: bool = False

    def where(self, bucket: int) -> str:
        """The condition that finds its rows."""
        own = f"bucket_of(event_id) = {int(bucket)}"
        return f"hold_id IN (SELECT hold_id FROM hold WHERE {own})" if self.is_of_holds else own

    def select(self, what: str, bucket: int, also: str = "true") -> str:
        """A query of them."""
        return f"SELECT {what} FROM {self.name} WHERE {self.where(bucket)} AND {also}"

    def change(self, verb: str, bucket: int, also: str = "true") -> str:
        """A statement that changes all of them."""
        return f"{verb} WHERE {self.where(bucket)} AND {also}"


_HOLD = _Table(
    "hold",
    ("hold_id", "event_id", "order_id", "state", "expires_at", "lines", "traceparent", "created_at"),
    ("hold_id",),
)
_CHANGE = _Table(
    "hold_change", ("hold_id", "state", "was", "traceparent", "changed_at"), ("hold_id", "state"), is_of_holds=True
)
_PASS = _Table("used_pass", ("pass_id", "hold_id", "used_at"), ("pass_id",), is_of_holds=True)
_SEAT = _Table("seat", ("event_id", "seat_id", "state", "hold_id"), ("event_id", "seat_id"))
_COUNTER = _Table("ticket_class", ("class_id", "held", "sold"), ("class_id",))
# Rows of the first three are new on the other side; the last two are there already, and change.
_NEW, _KNOWN = (_HOLD, _CHANGE, _PASS), (_SEAT, _COUNTER)

Connection: TypeAlias = "asyncpg.Connection[Any]"


async def move(shards: Sequence[Connection], bucket: int, to: int | None = None) -> Moved:
    """Moves it to that shard, or where there are two to the other one. Raises `CannotMove`; then it is where it was, and sells.

    `shards` are connections to all of them, in their order.
    """
    if not await shards[0].fetchval(_LOCK_MOVER):
        raise CannotMove("A bucket is being moved at this moment. Wait until that has ended.")
    try:
        owner = await _settle(shards, bucket)
        target = 1 - owner if to is None else to
        others = [number for number in range(len(shards)) if number != owner]
        if target not in others:
            where = f"Say where it shall be: TO={others[0]}" if others else "There is no other: make up SHARDS=2"
            raise CannotMove(f"Bucket {bucket} is in shard {owner}. {where}")
        return replace(await _move(shards[owner], shards[target], bucket), source=owner, target=target)
    finally:
        # A connection that is gone has let go of the lock, and another error would hide why the move ended.
        if not shards[0].is_closed():
            await shards[0].fetchval(_UNLOCK_MOVER)


async def _settle(shards: Sequence[Connection], bucket: int) -> int:
    """Ends what a mover that died has left, and says which shard has the bucket: whoever says `here`, else who was frozen."""
    states = [await _state(each, bucket) for each in shards]
    owner = states.index("here") if "here" in states else states.index("frozen")
    for number, each in enumerate(shards):
        if states[number] == "frozen":
            await _say(each, bucket, "here" if number == owner else "elsewhere")
    return owner


async def _move(source: Connection, target: Connection, bucket: int) -> Moved:
    events = await _wait_until_heard(source, target, bucket)
    began = perf_counter()
    since = await _copy_beside_the_sale(source, target, bucket)
    copied = perf_counter() - began
    frozen = perf_counter()
    may_be_switched = False
    try:
        async with asyncio.timeout(FREEZE_SECONDS):
            await _freeze(source, bucket)
            await _copy_what_changed(source, target, bucket, since)
            await _compare(source, target, bucket)
        may_be_switched = True
        await _say(target, bucket, "here")  # from here on it is there, whatever happens to us
    except BaseException as error:
        # Before the switch the target is not asked: it may be the one that has gone away, and those who buy wait for the source.
        if not may_be_switched or await _state(target, bucket) != "here":
            await _say(source, bucket, "here")
        if isinstance(error, TimeoutError):
            raise CannotMove(f"It took longer than {FREEZE_SECONDS:g} s. Try again when less is sold.") from error
        raise
    paused = perf_counter() - frozen
    await _say(source, bucket, "elsewhere")
    holds, seats = [await target.fetchval(each.select("count(*)", bucket)) for each in (_HOLD, _SEAT)]
    await _forget(source, bucket)
    return Moved(events, holds, seats, copied, paused)


async def _state(shard: Connection, bucket: int) -> str:
    return await shard.fetchval("SELECT state FROM bucket WHERE bucket = $1", bucket) or "here"


async def _say(shard: Connection, bucket: int, state: str) -> None:
    await shard.execute("UPDATE bucket SET state = $2, since = now() WHERE bucket = $1", bucket, state)


async def _freeze(source: Connection, bucket: int) -> None:
    """Nobody writes holds in it from here on, and all who did are done."""
    async with source.transaction():
        await source.execute("SELECT pg_advisory_xact_lock(7410984, $1)", bucket)
        await _say(source, bucket, "frozen")


async def _wait_until_heard(source: Connection, target: Connection, bucket: int) -> int:
    """How many events it has. Waits until the other shard has heard as much of each."""
    until = perf_counter() + HEARD_SECONDS
    while True:
        known, heard = [[tuple(row) for row in await each.fetch(_HEARD, bucket)] for each in (source, target)]
        if known == heard:
            return len(known)
        if perf_counter() > until:
            raise CannotMove(
                "The other shard has not heard of all events yet, or of more. Is its consumer far behind? See `make stuck`."
            )
        await asyncio.sleep(LOOK_SECONDS)


async def _copy_beside_the_sale(source: Connection, target: Connection, bucket: int) -> str:
    """Copies everything as it was at one moment. The transaction from which on rows may have changed since."""
    await _forget(target, bucket)  # of an attempt that was given up
    async with _one_moment(source) as since, _as_mover(target):
        for table in _NEW:
            await _carry(source, target, table, bucket)
            await target.execute(_insert(table))
        await _carry(source, target, _SEAT, bucket, "state <> 'free'")
        await target.execute(_GIVE_SEATS)
    return since


async def _copy_what_changed(source: Connection, target: Connection, bucket: int, since: str) -> None:
    changed = f"age(xmin) <= age(CAST('{int(since)}' AS xid))"
    async with _as_mover(target):
        for table in _NEW:
            await _carry(source, target, table, bucket, changed)
            await target.execute(_insert(table))
            count = table.select("count(*)", bucket)
            if await source.fetchval(count) != await target.fetchval(count):
                await _drop_what_is_gone(source, target, table, bucket)
        await _carry(source, target, _SEAT, bucket, changed)
        # A seat goes from one hold to the next by way of free.
        await target.execute(_FREE_SEATS)
        await target.execute(_GIVE_SEATS)
        await _carry(source, target, _COUNTER, bucket)
        await target.execute(_SET_COUNTERS)


async def _compare(source: Connection, target: Connection, bucket: int) -> None:
    """Raises `CannotMove` if the two sides differ in any row."""
    for table in (*_NEW, *_KNOWN):
        rows = f"CAST(ROW({', '.join(table.columns)}) AS text)"
        query = table.select(f"count(*), COALESCE(bit_xor(hashtextextended({rows}, 0)), 0)", bucket)
        here, there = await asyncio.gather(source.fetchrow(query), target.fetchrow(query))
        if tuple(here or ()) != tuple(there or ()):
            raise CannotMove(f"The copies differ in {table.name}. Nothing has moved; try again.")


async def _drop_what_is_gone(source: Connection, target: Connection, table: _Table, bucket: int) -> None:
    """What was deleted while the copy was made."""
    await _carry(source, target, table, bucket)
    same = " AND ".join(f"carried_{table.name}.{each} = {table.name}.{each}" for each in table.key)
    gone = f"NOT EXISTS (SELECT FROM carried_{table.name} WHERE {same})"
    await target.execute(table.change(f"DELETE FROM {table.name}", bucket, gone))


async def _forget(shard: Connection, bucket: int) -> None:
    """Removes what was sold in a bucket from a shard that does not have it."""
    if await _state(shard, bucket) == "here":
        raise CannotMove(f"Bucket {bucket} is in the shard that is to forget it.")
    async with _as_mover(shard):
        await shard.execute(_SEAT.change("UPDATE seat SET state = 'free', hold_id = NULL", bucket, "state <> 'free'"))
        for table in (_PASS, _CHANGE, _HOLD):
            await shard.execute(table.change(f"DELETE FROM {table.name}", bucket))
        await shard.execute(_COUNTER.change("UPDATE ticket_class SET held = 0, sold = 0", bucket))


@asynccontextmanager
async def _one_moment(source: Connection) -> AsyncIterator[str]:
    """All reads see the same. Rows that another transaction changes meanwhile are of this transaction or of a later one."""
    async with source.transaction(isolation="repeatable_read", readonly=True):
        yield await source.fetchval("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS xid) AS text)")


@asynccontextmanager
async def _as_mover(shard: Connection) -> AsyncIterator[None]:
    async with shard.transaction():
        await shard.execute(_AS_MOVER)
        yield


async def _carry(source: Connection, target: Connection, table: _Table, bucket: int, also: str = "true") -> None:
    """Brings rows into a table of this transaction alone: `carried_` and the table's name."""
    columns, carried = ", ".join(table.columns), f"carried_{table.name}"
    await target.execute(f"DROP TABLE IF EXISTS {carried}")
    await target.execute(
        f"CREATE TEMPORARY TABLE {carried} ON COMMIT DROP AS SELECT {columns} FROM {table.name} WITH NO DATA"
    )
    rows = BytesIO()
    await source.copy_from_query(table.select(columns, bucket, also), output=rows, format="binary")
    rows.seek(0)
    await target.copy_to_table(carried, source=rows, columns=table.columns, format="binary")
    await target.execute(f"ANALYZE {carried}")


def _insert(table: _Table) -> str:
    columns, key = ", ".join(table.columns), ", ".join(table.key)
    others = [each for each in table.columns if each not in table.key]
    news = ", ".join(f"{each} = excluded.{each}" for each in others)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM carried_{table.name}"
        f" ON CONFLICT ({key}) DO UPDATE SET {news}"
    )


_HEARD = """
    SELECT event_id, version, sale_version, (SELECT count(*) FROM seat WHERE seat.event_id = event.event_id),
        (SELECT sum(capacity) FROM ticket_class WHERE ticket_class.event_id = event.event_id)
    FROM event WHERE bucket_of(event_id) = $1 ORDER BY event_id
"""
_SAME_SEAT = "seat.event_id = carried.event_id AND seat.seat_id = carried.seat_id"
_FREE_SEATS = f"""
    UPDATE seat SET state = 'free', hold_id = NULL FROM carried_seat AS carried
    WHERE {_SAME_SEAT} AND seat.hold_id IS NOT NULL AND seat.hold_id IS DISTINCT FROM carried.hold_id
"""
_GIVE_SEATS = f"""
    UPDATE seat SET state = carried.state, hold_id = carried.hold_id FROM carried_seat AS carried
    WHERE {_SAME_SEAT} AND (seat.state, seat.hold_id) IS DISTINCT FROM (carried.state, carried.hold_id)
"""
_SET_COUNTERS = """
    UPDATE ticket_class SET held = carried.held, sold = carried.sold FROM carried_ticket_class AS carried
    WHERE ticket_class.class_id = carried.class_id
"""
