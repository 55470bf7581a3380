"""A confirmed order gets its tickets: all of them, once."""

from uuid import uuid4

import asyncpg
import pytest

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.tickets.settings import TicketsSettings
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, TICKETS_ISSUED, a_line, order_confirmed


async def rows(settings: TicketsSettings, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def test_a_confirmed_order_gets_a_ticket_per_place_and_the_fact_says_so(
    harness: Harness, running: RunningApp
) -> None:
    person_id = uuid7()
    order = order_confirmed(
        a_line(3), a_line(class_name="Parkett", seat_id="p-7-12", seat_label="Row 7, seat 12"), person_id=person_id
    )
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await harness.tell(ORDER_CONFIRMED, order, traceparent=traceparent)
    fact = await harness.heard(TICKETS_ISSUED)
    data = fact["data"]
    assert fact["subject"] == data["order_id"] == order["order_id"]
    assert fact["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert data["order_number"] == "K7Q2-9MXA"
    assert data["person_id"] == str(person_id)
    assert data["starts_at"] == "2026-12-31T19:00:00Z"
    assert [ticket["seat_label"] for ticket in data["tickets"]] == [None, None, None, "Row 7, seat 12"]
    assert set(data["tickets"][0]) == {"ticket_id", "class_name", "seat_label"}

    url = f"/orders/{order['order_id']}/tickets"
    response = await running.http.get(url, headers=harness.headers("web", to="tickets", person=person_id))
    assert response.status_code == 200
    items = response.json()["items"]
    assert [item["ticket_id"] for item in items] == [ticket["ticket_id"] for ticket in data["tickets"]]
    assert {item["state"] for item in items} == {"valid"}
    assert items[0]["starts_at"] == "2026-12-31T19:00:00Z"
    assert len({item["code"] for item in items}) == 4


async def test_the_same_fact_twice_gives_one_set_of_tickets(
    harness: Harness, running: RunningApp, settings: TicketsSettings
) -> None:
    event_id, order, last = uuid7(), order_confirmed(a_line(2)), order_confirmed(a_line(1))
    for _ in range(3):
        await harness.tell(ORDER_CONFIRMED, order, event_id=event_id, aggregate_id=order["order_id"])
    await harness.tell(ORDER_CONFIRMED, last)
    heard = [(await harness.heard(TICKETS_ISSUED))["data"]["order_id"] for _ in range(2)]
    assert sorted(heard) == sorted([order["order_id"], last["order_id"]])
    assert len(await rows(settings, "SELECT FROM ticket")) == 3


async def test_the_same_order_of_another_fact_keeps_its_tickets_and_is_answered_again(
    harness: Harness, running: RunningApp, settings: TicketsSettings
) -> None:
    order = order_confirmed(a_line(2))
    for _ in range(2):
        await harness.tell(ORDER_CONFIRMED, order, event_id=uuid4(), aggregate_id=order["order_id"])

    async def both_taken() -> bool:
        return len(await rows(settings, "SELECT FROM inbox")) == 2

    await harness.eventually(both_taken)
    assert len(await rows(settings, "SELECT FROM ticket")) == 2
    first, again = [(await harness.heard(TICKETS_ISSUED))["data"] for _ in range(2)]
    assert first == again


async def test_a_seat_has_one_valid_ticket_also_if_two_orders_say_they_bought_it(
    harness: Harness, running: RunningApp, settings: TicketsSettings
) -> None:
    event_id = str(uuid7())
    first = order_confirmed(a_line(seat_id="A1", seat_label="A 1"), event_id=event_id)
    await harness.tell(ORDER_CONFIRMED, first)
    await harness.heard(TICKETS_ISSUED)
    [ticket] = await rows(settings, "SELECT * FROM ticket")
    again = dict(ticket) | {"ticket_id": uuid4(), "order_id": uuid4()}
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    places = ", ".join(f"${n}" for n in range(1, len(again) + 1))
    insert = f"INSERT INTO ticket ({', '.join(again)}) VALUES ({places})"  # noqa: S608  # the names of our own columns
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_ticket_valid_seat"):
        await connection.execute(insert, *again.values())
    await connection.execute("UPDATE ticket SET state = 'void'")
    await connection.execute(insert, *again.values())
    await connection.close()


async def test_an_order_that_cannot_be_read_is_kept_as_a_dead_letter(
    harness: Harness, running: RunningApp, settings: TicketsSettings
) -> None:
    await harness.tell(ORDER_CONFIRMED, order_confirmed(a_line(0)))

    async def buried() -> bool:
        return len(await rows(settings, "SELECT FROM dead_letter")) == 1

    await harness.eventually(buried)
    assert await rows(settings, "SELECT FROM ticket") == []
