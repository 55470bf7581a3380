"""Faults of inventory to practise on. Loaded only when one is switched on (chassis/drills.py)."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.db import Reads, Transaction
from chassis.drills import Faults, Switch
from chassis.statements import text
from services.inventory import queries
from services.inventory.domain import Busy
from services.inventory.service import Inventory

RESELLER_SECONDS = 1.2
# Twice as many as there are connections: newcomers wait behind those that wait already.
RESELLERS = 16
REST_SECONDS = 0.5


def join_without_a_condition(faults: Faults) -> None:
    """Somebody joined a table and forgot on what: the rows are right, and there are far too many on the way."""

    async def taken_seats(reads: Reads, event_id: UUID) -> list[Any]:
        query = text("""
            SELECT seat.seat_id, max(seat.state) AS state FROM seat, seat AS other
            WHERE seat.event_id = :event_id AND length(seat.label || other.label) > 0
            GROUP BY seat.seat_id HAVING max(seat.state) <> 'free' ORDER BY seat.seat_id
        """)
        return list((await reads.execute(query, {"event_id": event_id}, name="inventory.taken_seats")).mappings())

    faults.replace(queries, "taken_seats", taken_seats)


def report_while_connected(faults: Faults) -> None:
    """The sweeper also tells every reseller what each event has left, and keeps a connection while it waits for the answer."""

    async def tell(self: Inventory) -> None:
        for event_id in await _event_ids(self):
            async with self._shards.reader(event_id) as reads:
                await queries.availability(reads, event_id)
                await asyncio.sleep(RESELLER_SECONDS)  # stands for the reseller's answer

    async def release_expired_holds(self: Inventory) -> int:
        await asyncio.gather(*(tell(self) for _ in range(RESELLERS)))
        expired: int = await good(self)
        return expired + RESELLERS

    good = faults.replace(Inventory, "release_expired_holds", release_expired_holds)


async def _event_ids(inventory: Inventory) -> list[UUID]:
    async with inventory._shards.all()[0].reader() as reads:  # noqa: SLF001  # it stands in for a method of that class
        return [
            row.event_id for row in await reads.execute(text("SELECT event_id FROM event"), name="inventory.events")
        ]


def rest_between_looks(faults: Faults) -> None:
    """A limit far too low, meant for robots: whoever looks within half a second of the last look, refused or not, is refused."""
    last_at = float("-inf")

    async def availability(inventory: Inventory, event_id: UUID) -> list[Any]:
        nonlocal last_at
        rested = time.monotonic() - last_at
        last_at = time.monotonic()
        if rested < REST_SECONDS:
            raise Busy
        return list(await good(inventory, event_id))

    good = faults.replace(Inventory, "availability", availability)


def look_at_passes_only(faults: Faults) -> None:
    """Passes were to be written down "once the load allows it": until then each is looked at, and none is used up."""

    async def take_passes(_tx: Transaction, passes: dict[UUID, UUID]) -> dict[UUID, UUID]:
        return dict(passes)

    faults.replace(queries, "take_passes", take_passes)


SWITCHES: Mapping[str, Switch] = {
    "report-while-connected": report_while_connected,
    "join-without-a-condition": join_without_a_condition,
    "rest-between-looks": rest_between_looks,
    "look-at-passes-only": look_at_passes_only,
}
