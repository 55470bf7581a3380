"""What support reads of a hold was written by what it tells of, and costs the buyer nothing."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.db import Reads
from chassis.ids import uuid7
from services.inventory.tests.integration.conftest import Shop


async def records(shop: Shop, order_id: UUID) -> list[dict[str, Any]]:
    headers = shop.harness.headers("web", to="inventory")
    answer = await shop.app.http.get(f"/records/orders/{order_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def whats(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["what"] for entry in entries]


async def test_a_hold_that_was_sold_and_given_back_is_recorded_step_by_step(shop: Shop) -> None:
    hold_id, order_id = uuid7(), uuid4()
    await shop.hold(standing=2, seats=["A1"], hold_id=hold_id, order_id=order_id)
    for how in ("commit", "commit", "release", "release"):  # what is repeated is recorded once
        await shop.end(hold_id, how)
    entries = await records(shop, order_id)
    assert whats(entries) == ["hold_granted", "hold_committed", "hold_released"]
    assert {(entry["facts"]["places"], entry["facts"]["reference"]) for entry in entries} == {(3, str(hold_id))}
    assert entries[0]["facts"]["until"] > entries[0]["at"]
    assert all(entry["trace_id"] and entry["span_id"] for entry in entries)


async def test_a_hold_that_ended_and_was_taken_again_is_recorded(shop: Shop) -> None:
    hold_id, order_id = uuid7(), uuid4()
    await shop.hold(standing=1, hold_id=hold_id, order_id=order_id, ttl_seconds=1)

    async def expired_and_published() -> bool:
        return any(entry["facts"]["ended_at"] for entry in await records(shop, order_id))

    await shop.harness.eventually(expired_and_published)
    await shop.end(hold_id, "commit")
    entries = await records(shop, order_id)
    assert whats(entries) == ["hold_granted", "hold_expired", "fact_told", "hold_taken_again"]
    # The sweeper works for many at once; what it did to this hold belongs to the trace of this hold.
    assert len({entry["trace_id"] for entry in entries[:3]}) == 1


async def test_holds_that_are_granted_together_belong_to_a_trace_each(shop: Shop) -> None:
    wishes = [(uuid7(), uuid4()) for _ in range(3)]
    await asyncio.gather(*(shop.hold(standing=1, hold_id=hold, order_id=order) for hold, order in wishes))
    traces = [(await records(shop, order_id))[0]["trace_id"] for _, order_id in wishes]
    assert len(set(traces)) == len(wishes)


async def test_what_support_reads_takes_no_statement_of_its_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    execute = Reads.execute

    async def heard(self: Reads, statement: Any, parameters: Any = None, *, name: str) -> Any:
        sweeps = ("inventory.any_overdue", "inventory.take_overdue_holds")
        if name.startswith("inventory.") and name not in sweeps:
            said.append(name)
        return await execute(self, statement, parameters, name=name)

    monkeypatch.setattr(Reads, "execute", heard)
    hold_id = uuid7()
    await shop.hold(standing=1, hold_id=hold_id)
    assert said == [f"inventory.{each}" for each in ("lock_classes", "holds_by_id", "insert_holds", "add_to_counters")]
    said.clear()
    await shop.end(hold_id, "commit")
    assert said == [
        f"inventory.{each}" for each in ("lock_hold", "add_to_counters", "sell_held_seats", "set_hold_state")
    ]


async def test_nothing_is_known_of_a_strange_order_and_only_web_may_ask(shop: Shop) -> None:
    assert await records(shop, uuid4()) == []
    path = f"/records/orders/{uuid4()}"
    refused = await shop.app.http.get(path, headers=shop.harness.headers("orders", to="inventory"))
    assert refused.status_code == 403
