"""In which bucket an event is, and whose buckets are whose.

There are 256 buckets, whatever the number of shards: a bucket moves from one shard to another as a whole, and an event never changes
its bucket. Which shard has a bucket stands in the shards themselves (`bucket`), so that the one that gives it away refuses to sell
in it from that moment on, whatever a process believes.
"""

from collections.abc import Sequence
from uuid import UUID

from chassis.db import Database, Reads
from chassis.statements import text

BUCKETS = 256
# What the trigger of migration 0009 raises: the bucket is not here, or moves away at this moment.
NOT_HERE_SQLSTATE = "ON001"

Owners = dict[int, int]


def bucket_of(event_id: UUID) -> int:
    """The bucket of an event: the last byte of its id. The database computes the same (`bucket_of`)."""
    return event_id.int % BUCKETS


def spread(shards: int) -> Owners:
    """Which shard has which bucket at first, all shards about as many."""
    return {bucket: bucket * shards // BUCKETS for bucket in range(BUCKETS)}


async def state_of(reads: Reads, bucket: int) -> str:
    """`here`, `frozen` or `elsewhere`, as this shard says."""
    query = text("SELECT state FROM bucket WHERE bucket = :bucket")
    return (await reads.execute(query, {"bucket": bucket}, name="inventory.bucket_state")).scalar() or "here"


async def buckets_in(reads: Reads, state: str) -> list[int]:
    """The buckets that are in this state, as this shard says."""
    query = text("SELECT bucket FROM bucket WHERE state = :state")
    rows = await reads.execute(query, {"state": state}, name="inventory.buckets")
    return [row["bucket"] for row in rows.mappings()]


async def owners_by(databases: Sequence[Database]) -> Owners:
    """Which shard has which bucket, as the shards say. A frozen bucket is its shard's until another one says that it is there."""
    found: Owners = {}
    for state in ("frozen", "here"):
        for number, database in enumerate(databases):
            async with database.reader() as reads:
                found |= dict.fromkeys(await buckets_in(reads, state), number)
    return found


async def hand_out(databases: Sequence[Database]) -> None:
    """Gives every bucket that no shard has its first one: shard 0 keeps those in which it has holds, the others are spread.

    Safe to repeat, and beside other processes that do the same or sell: shard 0 says what it keeps, once, while nobody sells in it.
    """
    if len(await owners_by(databases)) == BUCKETS:
        return
    first = spread(len(databases))
    async with databases[0].writer() as tx:
        await tx.execute(_STOP_ALL, name="inventory.stop_all_buckets")
        rows = await tx.execute(_USED, name="inventory.used_buckets")
        kept = {row["bucket"] for row in rows.mappings()} | {each for each, owner in first.items() if owner == 0}
        states = {each: "here" if each in kept else "elsewhere" for each in range(BUCKETS)}
        rows = await tx.execute(_CLAIM, _states(states), name="inventory.keep_buckets")
        given = {row["bucket"] for row in rows.mappings() if row["state"] == "elsewhere"}
    for number, database in enumerate(databases[1:], 1):
        states = {each: "here" if each in given and first[each] == number else "elsewhere" for each in range(BUCKETS)}
        async with database.writer(single=True) as tx:
            await tx.execute(_CLAIM, _states(states), name="inventory.take_buckets")


def _states(states: dict[int, str]) -> dict[str, list[int] | list[str]]:
    return {"buckets": list(states), "states": list(states.values())}


_USED = text("SELECT DISTINCT bucket_of(event_id) AS bucket FROM hold")
# The advisory lock of a bucket is this number and its own: who writes holds shares it (the trigger of migration 0009). This waits
# for all of them, and lets nobody begin until the transaction ends.
_STOP_ALL = text("SELECT pg_advisory_xact_lock(7410984, bucket) FROM generate_series(0, 255) AS bucket")
# What was said before stays.
_CLAIM = text("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:buckets AS int[]), CAST(:states AS text[])) AS wanted(bucket, state)
    ), claimed AS (
        INSERT INTO bucket (bucket, state) SELECT bucket, state FROM wanted
        ON CONFLICT (bucket) DO UPDATE SET state = bucket.state RETURNING bucket, state
    )
    SELECT bucket, state FROM claimed
""")
