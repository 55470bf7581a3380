"""When nothing is under way: every outbox is empty, and every consumer has handled what it was sent."""

import asyncio
import time
from collections.abc import Callable, Iterable

import asyncpg
import nats
from nats.aio.client import Client

from chassis.stream import STREAM
from local.topology import database_of

LOOK_SECONDS = 0.05


async def wait_until_quiet(
    url_of_database: Callable[[str], str],
    admin_nats_url: str,
    services: Iterable[str],
    consumers: set[str],
    seconds: float,
) -> bool:
    """Waits until all facts of these services have been handled by these consumers. Whether that came true in time."""
    deadline = time.monotonic() + seconds
    client = await nats.connect(admin_nats_url, allow_reconnect=False)
    connections = [await asyncpg.connect(url_of_database(database_of(service))) for service in services]
    try:
        while time.monotonic() < deadline:
            unsent = sum([await each.fetchval(_UNSENT) for each in connections])
            if not unsent and await all_handled(client, consumers):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False
    finally:
        await client.close()
        for each in connections:
            await each.close()


_UNSENT = "SELECT count(*) FROM outbox WHERE published_at IS NULL"


async def all_handled(client: Client, consumers: set[str]) -> bool:
    """Whether these consumers have handled all that the firehose has for them."""
    known = {info.name: info for info in await client.jetstream().consumers_info(STREAM)}
    wanted = [known.get(name) for name in consumers]
    return all(info is not None and not info.num_pending and not info.num_ack_pending for info in wanted)
