"""`make move-bucket EVENT=...`: a bucket of events moves to another shard of `make up SHARDS=2`, while its places are sold.

An event is in one of 256 buckets, by its id. Which shard has a bucket stands in the shards; see services/inventory/moving.py.
"""

import argparse
import asyncio
import re
import sys
from pathlib import Path
from uuid import UUID

import asyncpg

from local.errors import StartError
from local.provision import make_secrets
from local.running import Running
from local.topology import MOST_SHARDS, SHARDED, Layout, Ports, database_url, shards_of
from services.inventory.buckets import BUCKETS, bucket_of
from services.inventory.moving import CannotMove, Moved, move

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def move_bucket(running: Running, bucket: int, to: int | None = None) -> Moved:
    """Moves it to that shard, or with two to the other one. Raises StartError with a sentence."""
    try:
        shards = await _connect(running)
    except (OSError, asyncpg.PostgresError) as error:
        raise StartError("The databases do not answer. Is `make up` still running?") from error
    try:
        return await move(shards, bucket, to)
    except CannotMove as error:
        raise StartError(str(error)) from error
    finally:
        for each in shards:
            await each.close()


async def _connect(running: Running) -> "list[asyncpg.Connection[asyncpg.Record]]":
    """To all shards, with the service's own login: it needs no other right."""
    secrets = make_secrets(Layout(running.data))
    found = []
    for name in shards_of(SHARDED, MOST_SHARDS):
        url = database_url(SHARDED, Ports(running.ports), secrets, database=name)
        try:
            found.append(await asyncpg.connect(url, server_settings={"timezone": "UTC"}))
        except asyncpg.InvalidCatalogNameError:
            break
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make move-bucket", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder (DATA=)")
    parser.add_argument("--event", default="", help="an event's id, or its address (EVENT=)")
    parser.add_argument("--bucket", type=int, help=f"a number from 0 to {BUCKETS - 1} (BUCKET=)")
    parser.add_argument("--to", type=int, help="the number of the shard where it shall be (TO=)")
    asked = parser.parse_args()
    found = _ID.search(asked.event.lower())
    if found is None and not (asked.bucket is not None and 0 <= asked.bucket < BUCKETS):
        parser.error(
            f"Say which: EVENT= with an event's id or address, or BUCKET= with a number from 0 to {BUCKETS - 1}."
        )
    bucket = bucket_of(UUID(found[0])) if found else asked.bucket
    try:
        moved = asyncio.run(move_bucket(Running.find(asked.data), bucket, asked.to))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    counted = ", ".join(
        f"{number} {what}{'s' * (number != 1)}"
        for number, what in ((moved.events, "event"), (moved.holds, "hold"), (moved.seats, "seat"))
    )
    print(
        f"Bucket {bucket} is in shard {moved.target} now, and was in shard {moved.source}: {counted}.\n"
        f"Copied beside the sale in {moved.copied_seconds:.2f} s; nobody could hold or buy in it for"
        f" {moved.paused_seconds:.2f} s, and whoever tried waited."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
