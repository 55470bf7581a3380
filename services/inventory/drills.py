"""Faults of inventory to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.db import Reads
from chassis.drills import Faults, Switch
from services.inventory import queries


def join_without_a_condition(faults: Faults) -> None:
    """Somebody joined a table and forgot on what: the rows are right, and there are far too many on the way."""

    async def taken_seats(reads: Reads, event_id: UUID) -> list[Any]:
        query = text("""
            SELECT seat.seat_id, max(seat.state) AS state FROM seat, seat AS other
            WHERE seat.event_id = :event_id AND md5(seat.label || other.label) IS NOT NULL
            GROUP BY seat.seat_id HAVING max(seat.state) <> 'free' ORDER BY seat.seat_id
        """)
        return list((await reads.execute(query, {"event_id": event_id}, name="inventory.taken_seats")).mappings())

    faults.replace(queries, "taken_seats", taken_seats)


SWITCHES: Mapping[str, Switch] = {"join-without-a-condition": join_without_a_condition}
