"""Facts that come late or in another order: what catalog said last stands."""

import json
from typing import Any

import asyncpg
import pytest

from services.inventory.tests.integration.conftest import SEATS, Shop

EVENT = "events.catalog.event_published.v1"
SEATS_PUBLISHED = "events.catalog.seats_published.v1"


async def test_an_older_capacity_never_overwrites_a_newer_one(shop: Shop) -> None:
    await tell_event(shop, capacity=100, version=12)
    await tell_event(shop, capacity=40, version=11)
    assert await capacity(shop) == 100
    await tell_event(shop, capacity=60, version=13)
    assert await capacity(shop) == 60


async def test_an_older_fact_that_waited_for_a_locked_row_comes_too_late(shop: Shop) -> None:
    """The older one is tried first, cannot be written for as long as somebody holds the row, and is delivered again after the newer."""
    url = shop.app.app.state.service.settings.database_url.get_secret_value()
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.fetch("SELECT * FROM ticket_class FOR UPDATE")
            await shop.harness.tell(EVENT, event(shop, 40), aggregate_id=str(shop.event_id), version=21)
            await shop.harness.eventually(lambda: somebody_waits(other))
            await end_whoever_waits(other)
            await shop.harness.tell(EVENT, event(shop, 100), aggregate_id=str(shop.event_id), version=22)
            await shop.harness.eventually(lambda: somebody_waits(other))
    finally:
        await other.close()
    await shop.harness.eventually(lambda: has_heard(shop, EVENT, 3))
    assert await capacity(shop) == 100


async def test_a_fact_without_a_version_is_taken(shop: Shop) -> None:
    await tell_event(shop, capacity=100, version=12)
    await tell_event(shop, capacity=40, version=None)
    assert await capacity(shop) == 40
    await tell_event(shop, capacity=60, version=11)
    assert await capacity(shop) == 40


async def test_older_words_for_seats_never_overwrite_newer_ones(shop: Shop) -> None:
    await tell_seats(shop, "new", version=14)
    await tell_seats(shop, "old", version=12)
    assert await labels(shop) == {f"new {seat}" for seat in SEATS}
    await tell_event(shop, capacity=10, version=13)
    await tell_event(shop, capacity=10, version=11)
    assert await labels(shop) == {f"new {seat}" for seat in SEATS}


async def test_seats_of_an_earlier_time_than_what_is_known_of_the_event_are_let_go(shop: Shop) -> None:
    await tell_event(shop, capacity=10, version=20)
    await tell_seats(shop, "old", version=19)
    assert await labels(shop) == {f"Seat {seat}" for seat in SEATS}


async def test_parts_of_one_publication_are_taken_in_any_order(shop: Shop) -> None:
    await tell_event(shop, capacity=10, version=30)
    await tell_seats(shop, "new", version=32, seats=SEATS[3:])
    await tell_seats(shop, "new", version=31, seats=SEATS[:3])
    assert await labels(shop) == {f"new {seat}" for seat in SEATS}


@pytest.mark.parametrize("sequence", ["-1", "soon", "9" * 30, 1.5, [1]])
async def test_a_version_that_is_none_makes_a_dead_letter(shop: Shop, sequence: Any) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "0198f000-0000-7000-8000-000000000001",
        "source": "/services/catalog",
        "type": EVENT,
        "subject": str(shop.event_id),
        "time": "2031-06-21T18:00:00Z",
        "sequence": sequence,
        "data": event(shop, 40),
    }
    await shop.harness._client().jetstream().publish(EVENT, json.dumps(envelope).encode())
    await shop.harness.eventually(lambda: shop.rows("SELECT 1 FROM dead_letter"))
    assert await capacity(shop) == 10


async def tell_event(shop: Shop, *, capacity: int, version: int | None) -> None:
    await tell_and_wait(shop, EVENT, event(shop, capacity), version)


async def tell_seats(shop: Shop, words: str, *, version: int, seats: list[str] = SEATS) -> None:
    described = [{"seat_id": seat, "label": f"{words} {seat}", "class_id": str(shop.stalls)} for seat in seats]
    await tell_and_wait(
        shop, SEATS_PUBLISHED, {"event_id": str(shop.event_id), "part": 1, "parts": 1, "seats": described}, version
    )


async def tell_and_wait(shop: Shop, subject: str, data: dict[str, Any], version: int | None) -> None:
    known = len(await heard(shop, subject))
    await shop.harness.tell(subject, data, aggregate_id=str(shop.event_id), version=version)
    await shop.harness.eventually(lambda: has_heard(shop, subject, known + 1))


def event(shop: Shop, capacity: int) -> dict[str, Any]:
    standing = {"class_id": str(shop.standing), "name": "Standing", "kind": "general", "capacity": capacity}
    about = {"event_id": str(shop.event_id), "title": "Hamlet", "starts_at": "2027-01-01T19:00:00Z"}
    return {**about, "classes": [standing]}


async def heard(shop: Shop, subject: str) -> list[dict[str, Any]]:
    return [row for row in await shop.rows("SELECT subject FROM inbox") if row["subject"] == subject]


async def has_heard(shop: Shop, subject: str, times: int) -> bool:
    return len(await heard(shop, subject)) == times


async def capacity(shop: Shop) -> int:
    (row,) = await shop.rows("SELECT capacity FROM ticket_class WHERE kind = 'general'")
    return int(row["capacity"])


async def labels(shop: Shop) -> set[str]:
    return {row["label"] for row in await shop.rows("SELECT label FROM seat")}


_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def somebody_waits(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetch(_WAITING))


async def end_whoever_waits(connection: asyncpg.Connection) -> None:
    for row in await connection.fetch(_WAITING):
        await connection.fetch("SELECT pg_cancel_backend($1)", row["pid"])
