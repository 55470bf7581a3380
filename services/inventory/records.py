"""What support reads: this service's own account of one order. A router and its queries."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from chassis.db import Reads
from chassis.operations import serves
from chassis.records import MOST_OF_EACH, Noted, facts_about, records_of
from chassis.statements import Row, text
from services.inventory.operations import GET_RECORDS, InventoryRecords
from services.inventory.shards import Shards


def make_records_router(shards: Shards) -> APIRouter:
    """The account of one order."""
    router = APIRouter(tags=["records"])

    @serves(router, GET_RECORDS)
    async def records_of_order(order_id: UUID) -> InventoryRecords:
        """All that happened to an order's holds, as this service has recorded it; nothing for one that is not known here."""
        noted: list[Noted] = []
        for database in shards.all():
            async with database.reader() as reads:
                noted += await _of_shard(reads, order_id)
        return records_of(InventoryRecords, order_id, noted)

    return router


async def _of_shard(reads: Reads, order_id: UUID) -> list[Noted]:
    parameters = {"order_id": order_id, "most": MOST_OF_EACH}
    rows = (await reads.execute(_HOLDS, parameters, name="records.holds")).mappings().all()
    holds = {row["hold_id"]: row for row in rows}
    noted = [_granted(row) for row in holds.values()]
    noted += [_changed(row) for row in rows if row["state"] is not None]
    return noted + await facts_about(reads, holds) if holds else []


def _granted(row: Row) -> Noted:
    facts = {"places": _places(row), "until": row["expires_at"], "reference": str(row["hold_id"])}
    return Noted(row["created_at"], "hold_granted", row["traceparent"], facts)


def _changed(row: Row) -> Noted:
    taken_again = row["state"] == "committed" and row["was"] == "expired"
    what = "hold_taken_again" if taken_again else f"hold_{row['state']}"
    facts: dict[str, Any] = {"places": _places(row), "state": row["was"], "reference": str(row["hold_id"])}
    return Noted(row["changed_at"], what, row["changed_in"], facts)


def _places(row: Row) -> int:
    return sum(int(line["quantity"]) for line in row["lines"])


_HOLDS = text("""
    SELECT hold.hold_id, expires_at, lines, hold.traceparent, created_at,
           change.state, change.was, change.traceparent AS changed_in, changed_at
    FROM hold LEFT JOIN hold_change change USING (hold_id)
    WHERE order_id = :order_id ORDER BY created_at, changed_at LIMIT :most
""")
