"""For how long nobody can buy while a bucket moves: `python -m local.bench.moving [--seats 100000] [--rounds 3]`.

Two databases of inventory on one durable Postgres; one event whose seats are sold to four fifths, four at a time, and some general
admission. Meanwhile somebody holds and gives back places of the same event without a pause. Printed are the copy beside the sale and the
pause, in which the bucket is frozen: what has changed is copied, all rows of both sides are compared, and the bucket is switched.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from chassis.migrated import migrations_of
from chassis.migrations import migrate
from local.postgres import PostgresServer
from services.inventory.buckets import bucket_of
from services.inventory.moving import move

EVENT = UUID("00000000-0000-4000-8000-000000000007")
NAMES = "inventory", "inventory_1"
_EVENT = """
    INSERT INTO event (event_id, title, starts_at) VALUES ('{event}', 'Benefit', now() + interval '1 year');
    INSERT INTO ticket_class (class_id, event_id, name, kind, capacity) VALUES
        ('{event}', '{event}', 'Stalls', 'seated', {seats}), ('{standing}', '{event}', 'Standing', 'general', 100000);
    INSERT INTO seat (event_id, seat_id, class_id, label)
        SELECT '{event}', number::text, '{event}', 'Seat ' || number FROM generate_series(0, {seats} - 1) AS number;
    INSERT INTO bucket (bucket, state) VALUES ({bucket}, '{state}');
"""
_SOLD = """
    SELECT set_config('onsale.moves_a_bucket', 'yes', false);
    INSERT INTO hold (hold_id, event_id, order_id, state, expires_at, lines)
        SELECT md5('hold ' || number)::uuid, '{event}', md5('order ' || number)::uuid, 'committed', now(),
            jsonb_agg(jsonb_build_object('class_id', '{event}', 'seat_id', (4 * number + place)::text, 'quantity', 1,
                'seat_label', 'Seat ' || (4 * number + place)))
        FROM generate_series(0, {seats} / 5 - 1) AS number, generate_series(0, 3) AS place GROUP BY number;
    INSERT INTO hold_change (hold_id, state, was) SELECT hold_id, 'committed', 'held' FROM hold;
    UPDATE seat SET state = 'sold', hold_id = md5('hold ' || seat_id::int / 4)::uuid WHERE seat_id::int < {seats} / 5 * 4;
    ANALYZE;
"""
_BUY = """
    WITH counted AS (UPDATE ticket_class SET held = held + 1 WHERE class_id = $2)
    INSERT INTO hold (hold_id, event_id, order_id, state, expires_at, lines)
    VALUES ($1, $3, $1, 'held', now() + interval '1 hour', '[]')
"""
STANDING = UUID("00000000-0000-4000-8000-000000000107")


async def sell(url: str, pause_seconds: float) -> int:
    """Holds a place again and again until the bucket is not there any more. How many."""
    connection, count = await asyncpg.connect(url), 0
    try:
        while True:
            await connection.execute(_BUY, uuid4(), STANDING, EVENT)
            count += 1
            await asyncio.sleep(pause_seconds)
    except asyncpg.PostgresError:
        return count
    finally:
        await connection.close()


async def measure(urls: list[str], seats: int, rounds: int) -> None:
    """Fills the first, and moves there and back."""
    values = {"event": EVENT, "seats": seats, "standing": STANDING, "bucket": bucket_of(EVENT)}
    shards = [await asyncpg.connect(url, server_settings={"timezone": "UTC"}) for url in urls]
    for shard, state in zip(shards, ("here", "elsewhere"), strict=True):
        await shard.execute(_EVENT.format(**values, state=state))
    await shards[0].execute(_SOLD.format(**values))
    await shards[0].execute("SELECT set_config('onsale.moves_a_bucket', '', false)")
    for number in range(rounds):
        selling = asyncio.create_task(sell(urls[number % 2], 0.002))
        await asyncio.sleep(0.5)
        moved = await move(shards, bucket_of(EVENT))
        print(
            f"{moved.seats} seats and {moved.holds} holds moved; copied beside the sale in {moved.copied_seconds:.2f} s,"
            f" in which {await selling} holds were placed; paused for {moved.paused_seconds:.2f} s",
            flush=True,
        )
    for shard in shards:
        await shard.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.moving", description=__doc__)
    parser.add_argument("--seats", type=int, default=100_000, help="seats of the event (100000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often it moves (3)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onsale-moving-") as folder:
        Path(folder).chmod(0o711)  # as root, Postgres runs as another user, who has to pass
        with PostgresServer(Path(folder) / "postgres", durable=True) as server:
            asyncio.run(_measured(server, given.seats, given.rounds))
            server.remove()


async def _measured(server: PostgresServer, seats: int, rounds: int) -> None:
    connection = await asyncpg.connect(server.url())
    for name in NAMES:
        await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    urls = [server.url(name) for name in NAMES]
    for url in urls:
        await asyncio.to_thread(migrate, migrations_of("inventory"), url)
    await measure(urls, seats, rounds)


if __name__ == "__main__":
    main()
