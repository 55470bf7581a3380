"""What support reads of tickets was written by what it tells of; and what could not be made anything of is shown too."""

from typing import Any
from uuid import uuid4

from chassis.testing import Harness, RunningApp
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, order_confirmed


async def records(harness: Harness, running: RunningApp, order_id: str) -> list[dict[str, Any]]:
    headers = harness.headers("web", to="tickets")
    answer = await running.http.get(f"/records/orders/{order_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def test_issuing_is_recorded_with_the_fact_that_called_for_it_and_the_one_that_tells_of_it(
    harness: Harness, running: RunningApp
) -> None:
    fact = order_confirmed()
    event_id = await harness.tell(ORDER_CONFIRMED, fact, aggregate_id=fact["order_id"])

    async def all_entries() -> list[dict[str, Any]] | None:
        entries = await records(harness, running, fact["order_id"])
        return entries if any(entry["facts"]["ended_at"] for entry in entries) else None

    entries = await harness.eventually(all_entries)
    assert [entry["what"] for entry in entries] == ["fact_heard", "tickets_issued", "fact_told"]
    assert (entries[0]["facts"]["reference"], entries[0]["facts"]["attempt"]) == (str(event_id), 1)
    assert entries[1]["facts"]["places"] == sum(line["quantity"] for line in fact["lines"])
    assert all(entry["trace_id"] and entry["span_id"] for entry in entries)


async def test_a_fact_that_was_put_aside_is_recorded_without_its_text(harness: Harness, running: RunningApp) -> None:
    fact = order_confirmed() | {"lines": "many"}
    await harness.tell(ORDER_CONFIRMED, fact, aggregate_id=fact["order_id"])

    async def buried() -> list[dict[str, Any]]:
        return await records(harness, running, fact["order_id"])

    (entry,) = await harness.eventually(buried)
    assert (entry["what"], entry["facts"]["kind"], entry["facts"]["reason"]) == (
        "fact_buried",
        ORDER_CONFIRMED,
        "tickets",
    )


async def test_nothing_is_known_of_a_strange_order_and_only_web_may_ask(harness: Harness, running: RunningApp) -> None:
    assert await records(harness, running, str(uuid4())) == []
    path, headers = f"/records/orders/{uuid4()}", harness.headers("notifications", to="tickets")
    assert (await running.http.get(path, headers=headers)).status_code == 403
