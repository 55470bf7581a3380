"""Whether a system has come to rest: nothing is under way but what waits for a person."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import nats
import nats.errors

from local.quiet import all_handled
from local.topology import HEARS, SERVICES, SHARDED, consumers_of
from rehearsal.audit.model import LIVENESS, Broken, Invariant
from rehearsal.audit.sources import Sources, databases_of

LOOK_SECONDS = (0.05, 0.5)
CONNECT_SECONDS = 5.0
AT_REST = Invariant(
    LIVENESS,
    "the system comes to rest",
    "Once nobody buys any more, outboxes empty, facts are heard and orders end by themselves, within the time given.",
    "",
)
_IN_EVERY = {"facts that have not left": "SELECT count(*) FROM outbox WHERE published_at IS NULL"}
# An order that is held or being paid waits for its buyer until its hold ends; everything else has to go on by itself.
_OF_ONE: Mapping[str, Mapping[str, str]] = {
    "orders": {
        "orders whose saga is open": """SELECT count(*) FROM purchase_order WHERE state IN
            ('placing', 'authorised', 'committed', 'cancelling') OR state IN ('held', 'paying') AND hold_expires_at < now()""",
        "orders that wait for their tickets": "SELECT count(*) FROM awaited_tickets",
    },
    "inventory": {"holds past their end": "SELECT count(*) FROM hold WHERE state = 'held' AND expires_at < now()"},
    "payments": {
        "requests to the bank without an answer": "SELECT count(*) FROM gateway_operation WHERE state = 'unknown'",
        "hints of the bank that nobody followed": "SELECT count(*) FROM webhook WHERE handled_at IS NULL",
    },
    "notifications": {"mails that wait": "SELECT count(*) FROM delivery WHERE state LIKE 'waiting%'"},
}
UNHEARD = "facts that wait for those who hear them"


def waiting_for_buyers(until: datetime) -> dict[str, str]:
    """Open orders that end by themselves until then. Whoever was given more time (in a shop that others use) is not waited for."""
    return {
        "orders that wait for their buyers": f"""SELECT count(*) FROM purchase_order
            WHERE state IN ('held', 'paying') AND hold_expires_at < '{until.isoformat()}'"""
    }


async def wait_for_rest(sources: Sources, seconds: float, *, also_buyers: bool = False) -> Broken | None:
    """Waits so long until nothing is under way; what still is then. `also_buyers`: until no order is open
    that ends by itself in this time.

    Raises the errors of Postgres and NATS if they do not answer.
    """
    questions = {name: {**_IN_EVERY, **_OF_ONE.get(name, {})} for name in SERVICES}
    if also_buyers:
        questions["orders"].update(waiting_for_buyers(datetime.now(UTC) + timedelta(seconds=seconds)))
    connections = [
        (name, await asyncpg.connect(sources.url_of_database(database)))
        for name in SERVICES
        for database in await databases_of(sources, name)
    ]
    client = await nats.connect(sources.nats, allow_reconnect=False) if sources.nats else None
    further = len(await databases_of(sources, SHARDED))
    consumers = {each for service in HEARS for each in consumers_of(service, further)}
    deadline, pause = time.monotonic() + seconds, LOOK_SECONDS[0]
    try:
        while True:
            # NATS is asked last: what has left an outbox meanwhile is still seen there.
            under_way = [row for name, each in connections for row in await _under_way(each, name, questions[name])]
            if client is not None and not under_way and not await all_handled(client, consumers):
                under_way = [{"about": "the firehose", "what": UNHEARD}]
            if not under_way or time.monotonic() > deadline:
                return Broken(AT_REST, tuple(under_way), len(under_way)) if under_way else None
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LOOK_SECONDS[1])
    finally:
        if client is not None:
            await client.close()
        for _, connection in connections:
            await connection.close()


async def _under_way(
    connection: asyncpg.Connection, service: str, questions: Mapping[str, str]
) -> list[dict[str, object]]:
    values = ", ".join(f"({query})" for query in questions.values())
    row = await connection.fetchrow(f"SELECT {values}")  # all in one go
    counted = zip(questions, row.values() if row is not None else (), strict=True)
    return [{"about": service, what: number} for what, number in counted if number]
