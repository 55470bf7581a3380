"""A queue over real Postgres: equal before the draw, in order after it, let in at the rate, and provably so."""

import asyncio
import json
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import nats
import pytest

from chassis.statements import text
from chassis.testing import Harness
from services.waitingroom.app import create_app
from services.waitingroom.tests.integration.conftest import Room


async def all_are(room: Room, people: list[UUID], *states: str) -> bool:
    return all([(await room.standing(person))["state"] in states for person in people])


async def test_before_its_doors_open_nobody_can_join(room: Room) -> None:
    assert (await room.join()).json()["code"] == "sale_unknown"
    await room.announce(doors=60)
    refused = await room.join()
    assert (refused.status_code, refused.json()["code"]) == (409, "doors_closed")
    assert refused.json()["doors_open_at"] > "20"


async def test_before_the_draw_all_are_equal_and_the_seed_is_secret(room: Room) -> None:
    announced = await room.announce()
    people = await room.crowd_joins(3)
    assert [(await room.standing(person))["number"] for person in people] == [None] * 3
    assert announced["seed"] is None
    assert len(announced["seed_hash"]) == 64
    assert (await room.sale())["state"] == "doors_open"


async def test_anybody_can_draw_the_lots_again_from_what_is_published(room: Room) -> None:
    announced = await room.announce()
    people = await room.crowd_joins(20)
    await room.start()
    sale = await room.sale()
    assert sha256(sale["seed"].encode()).hexdigest() == announced["seed_hash"] == sale["seed_hash"]
    entries = (await room.web("GET", "/drawn")).json()["items"]
    # By hand, as the page explains it: no code of the service is used.
    lots = sorted(entries, key=lambda each: sha256(f"{sale['seed']}:{each['entry_id']}".encode()).hexdigest())
    assert [each["number"] for each in lots] == list(range(1, 21))
    mine = await room.standing(people[0])
    assert {"entry_id": mine["entry_id"], "number": mine["number"]} in entries


async def test_who_comes_after_the_draw_is_served_in_the_order_of_coming(room: Room) -> None:
    await room.announce(rate=1)
    early = await room.crowd_joins(3)
    await room.start()
    late = await room.crowd_joins(4)

    async def have_numbers() -> list[int] | None:
        numbers = [(await room.standing(person))["number"] for person in late]
        return numbers if all(numbers) else None

    assert await room.harness.eventually(have_numbers) == [4, 5, 6, 7]
    assert sorted([(await room.standing(person))["number"] for person in early]) == [1, 2, 3]
    assert len((await room.web("GET", "/drawn")).json()["items"]) == 3


async def test_one_account_has_one_place_however_often_it_joins(room: Room) -> None:
    await room.announce()
    person = uuid4()
    joined = await asyncio.gather(*(room.join(person, f"{number:064x}") for number in range(6)))
    assert len({answer.json()["entry_id"] for answer in joined}) == 1


async def test_an_address_brings_a_bounded_number(room: Room) -> None:
    await room.announce()
    joined = await asyncio.gather(*(room.join() for _ in range(25)))
    assert sorted(answer.status_code for answer in joined) == [200] * 20 + [429] * 5
    assert (await room.join(address="b")).status_code == 200


async def test_who_missed_their_turn_waits_no_more_from_an_address_and_who_is_inside_does(room: Room) -> None:
    await room.announce()
    missed, inside = [uuid4() for _ in range(19)], uuid4()
    for person in (*missed, inside):
        assert (await room.join(person)).status_code == 200
    await room.start()
    await room.harness.eventually(lambda: all_are(room, [*missed, inside], "turn"), patience_seconds=20)
    assert (await room.web("POST", "/entry/pass", inside)).status_code == 200
    assert (await room.join()).status_code == 429
    await room.write("UPDATE entry SET until = now() WHERE NOT passed")
    assert await all_are(room, missed, "missed")
    joined = await asyncio.gather(*(room.join() for _ in range(20)))
    assert sorted(answer.status_code for answer in joined) == [200] * 19 + [429]


async def test_a_crowd_from_one_address_leaves_connections_to_others(room: Room) -> None:
    """They join one after the other, and whoever waits for that waits without a connection."""
    await room.announce()
    url = room.app.app.state.service.settings.database_url.get_secret_value()
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            key = f"{room.event_id} {'a' * 64}"
            await other.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
            crowd = [asyncio.create_task(room.join()) for _ in range(15)]
            await asyncio.sleep(0.5)
            assert (await room.join(address="b")).status_code == 200
            assert not any(each.done() for each in crowd)
    finally:
        await other.close()
    assert {answer.status_code for answer in await asyncio.gather(*crowd)} == {200}


async def test_whose_turn_it_is_comes_in_with_a_pass_of_their_own(room: Room) -> None:
    await room.announce()
    (person,) = await room.crowd_joins(1)
    assert (await room.web("POST", "/entry/pass", person)).json()["code"] == "not_your_turn"
    await room.start()
    await room.harness.eventually(lambda: all_are(room, [person], "turn"))
    first, again = [(await room.web("POST", "/entry/pass", person)).json() for _ in range(2)]
    assert first["until"] == again["until"]
    key = room.harness.keys.services["waitingroom"].public_key()
    claims = [jwt.decode(each["token"], key, algorithms=["EdDSA"], audience="places") for each in (first, again)]
    assert {(each["sub"], each["event"]) for each in claims} == {(str(person), str(room.event_id))}
    assert claims[0]["jti"] == claims[1]["jti"]
    assert (await room.standing(person))["state"] == "inside"


async def test_a_turn_that_nobody_takes_goes_to_others(room: Room) -> None:
    await room.announce(most_active=1)
    first, second = await room.crowd_joins(2)
    await room.start()

    async def who_is_in() -> Any:
        found = [person for person in (first, second) if (await room.standing(person))["state"] == "turn"]
        return found[0] if found else None

    lucky = await room.harness.eventually(who_is_in)
    other = second if lucky == first else first
    assert (await room.standing(other))["state"] == "waiting"
    await room.write("UPDATE entry SET until = now() WHERE until IS NOT NULL")
    await room.harness.eventually(lambda: all_are(room, [other], "turn"))
    assert (await room.web("POST", "/entry/pass", lucky)).json()["code"] == "turn_missed"
    again = (await room.join(lucky)).json()
    assert again["state"] in {"equal", "waiting"}


async def test_who_has_bought_makes_room(room: Room) -> None:
    await room.announce(most_active=1)
    people = await room.crowd_joins(2)
    await room.start()
    await room.harness.eventually(lambda: any_is(room, people, "turn"))
    inside = [person for person in people if (await room.standing(person))["state"] == "turn"]
    assert len(inside) == 1
    await room.web("POST", "/entry/pass", inside[0])
    fact = {"event_id": str(room.event_id), "person_id": str(inside[0])}
    await room.harness.tell("events.orders.order_confirmed.v1", fact)
    waiting = [person for person in people if person not in inside]
    await room.harness.eventually(lambda: all_are(room, waiting, "turn"))
    assert (await room.standing(inside[0]))["state"] == "done"


async def test_who_is_inside_stays_inside_when_their_order_was_refused(room: Room) -> None:
    """Their pass is as new, and they may try again: another one let in for them would be one too many."""
    await room.announce(most_active=1)
    people = await room.crowd_joins(2)
    await room.start()
    await room.harness.eventually(lambda: any_is(room, people, "turn"), patience_seconds=20)
    (inside,) = [person for person in people if (await room.standing(person))["state"] == "turn"]
    await room.web("POST", "/entry/pass", inside)
    fact = {"event_id": str(room.event_id), "person_id": str(inside)}
    cancelled = "events.orders.order_cancelled.v1"
    told = await room.harness.tell(cancelled, {**fact, "reason": "refused"})
    await room.harness.eventually(lambda: has_heard(room, told), patience_seconds=20)
    assert (await room.standing(inside))["state"] == "inside"
    await room.harness.tell(cancelled, {**fact, "reason": "buyer"})
    await room.harness.eventually(lambda: all_are(room, [inside], "done"), patience_seconds=20)


async def has_heard(room: Room, fact_id: UUID) -> bool:
    heard = text("SELECT FROM inbox WHERE event_id = :fact_id")
    async with room.app.app.state.service._databases[0].reader() as reads:
        return bool((await reads.execute(heard, {"fact_id": fact_id}, name="test.has_heard")).rowcount)


async def any_is(room: Room, people: list[UUID], state: str) -> bool:
    states = [(await room.standing(person))["state"] for person in people]
    return state in states


async def test_nobody_is_let_in_while_all_places_are_in_carts(room: Room) -> None:
    room.crowd.left, room.crowd.in_carts = 0, 7
    await room.announce()
    (person,) = await room.crowd_joins(1)
    await room.start()

    async def is_said() -> bool:
        return bool((await room.sale())["places_left"] == 0)

    await room.harness.eventually(is_said)
    standing = await room.standing(person)
    assert (standing["state"], standing["expected_seconds"], standing["sale"]["places_in_carts"]) == (
        "waiting",
        None,
        7,
    )
    room.crowd.left = 1
    await room.harness.eventually(lambda: all_are(room, [person], "turn"))


async def test_a_slow_inventory_lets_fewer_people_in(room: Room) -> None:
    room.crowd.wait_seconds = 2.0
    await room.announce(rate=600)
    await room.start()

    async def is_slower() -> bool:
        return bool((await room.sale())["rate_now"] < 300)

    await room.harness.eventually(is_slower)
    room.crowd.answers = False
    await room.harness.eventually(is_slower)
    room.crowd.answers, room.crowd.wait_seconds = True, 0.0

    async def is_as_it_was() -> bool:
        return bool((await room.sale())["rate_now"] == 600)

    await room.harness.eventually(is_as_it_was)


async def test_a_bank_that_is_late_lets_fewer_people_in(room: Room) -> None:
    await room.announce(rate=600)
    await room.start()
    client = await nats.connect(room.harness.nats_url)
    late = {"process_id": str(uuid4()), "late_seconds": 4.0}

    async def is_slower() -> bool:
        await client.publish(f"bus.payments.bank_late.{late['process_id']}", json.dumps(late).encode())
        return bool((await room.sale())["rate_now"] < 300)

    await room.harness.eventually(is_slower)
    late["late_seconds"] = 0.0
    await client.publish(f"bus.payments.bank_late.{late['process_id']}", json.dumps(late).encode())

    async def is_as_it_was() -> bool:
        return bool((await room.sale())["rate_now"] == 600)

    await room.harness.eventually(is_as_it_was)
    await client.drain()


async def test_a_sale_that_cannot_go_on_keeps_no_other_back(room: Room) -> None:
    """One whose row has a number that is none. It stands between the two others, whichever way they are looked at."""
    sales = [room, *(Room(room.app, room.harness, room.crowd) for _ in range(2))]
    sales.sort(key=lambda each: each.event_id)
    for each in sales:
        await each.announce()
        await each.crowd_joins(1)
        await each.start()
    await room.write(f"UPDATE sale SET credit = 'NaN' WHERE event_id = '{sales[1].event_id}'")  # noqa: S608  # an id of the test
    for each in (sales[0], sales[2]):
        await room.harness.eventually(partial(all_are, each, await each.crowd_joins(1), "turn"))


async def test_whoever_runs_the_sale_can_pause_it_and_go_on(room: Room) -> None:
    await room.announce()
    (person,) = await room.crowd_joins(1)
    assert (await room.web("PATCH", paused=True)).json()["state"] == "doors_open"
    await room.start()
    assert (await room.sale())["state"] == "paused"
    await asyncio.sleep(0.3)
    assert (await room.standing(person))["state"] == "waiting"
    assert (await room.web("PATCH", paused=False, rate=60)).json()["rate"] == 60
    await room.harness.eventually(lambda: all_are(room, [person], "turn"))
    assert (await room.web("PATCH", ended=True)).json()["state"] == "ended"
    assert (await room.join()).json()["code"] == "sale_ended"


async def test_times_of_a_sale_that_has_begun_stay(room: Room) -> None:
    await room.announce()
    assert (await room.announced(-60, 7200, 60, 10)).json()["code"] == "sale_has_begun"


@pytest.mark.parametrize(
    ("doors_open_at", "starts_at"),
    [
        ("2031-06-21T17:30:00", "2031-06-21T18:00:00Z"),
        ("2031-06-21T17:30:00Z", "2031-06-21T18:00:00"),
        ("2031-06-21T17:30:00", "2031-06-21T18:00:00"),
        ("0001-01-01T00:00:00+14:00", "2031-06-21T18:00:00Z"),
        ("2031-06-21T17:30:00Z", "9999-12-31T23:59:59-14:00"),
        ("1999-12-31T23:59:59Z", "2031-06-21T18:00:00Z"),
        ("2031-06-21T17:30:00Z", "2200-01-01T00:00:00Z"),
        ("2031-06-21T18:00:00Z", "2031-06-21T17:30:00Z"),
    ],
)
async def test_a_sale_with_times_that_say_no_moment_or_none_of_these_centuries_is_refused(
    room: Room, doors_open_at: str, starts_at: str
) -> None:
    refused = await room.web("PUT", rate=60, most_active=10, doors_open_at=doors_open_at, starts_at=starts_at)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")
    assert (await room.web("GET")).json()["code"] == "sale_unknown"


async def test_the_order_survives_a_restart_and_two_processes_keep_one(room: Room, harness: Harness) -> None:
    await room.announce(rate=1)
    people = await room.crowd_joins(5)
    await room.start()
    before = {person: (await room.standing(person))["number"] for person in people}
    settings = room.app.app.state.service.settings
    async with harness.running(create_app, settings.model_copy()) as beside:
        other = Room(beside, harness, room.crowd, room.event_id)
        assert {person: (await other.standing(person))["number"] for person in people} == before
        late = [*(await room.crowd_joins(2)), *(await other.crowd_joins(2))]

        async def have_numbers() -> list[int] | None:
            numbers = [(await other.standing(person))["number"] for person in late]
            return numbers if all(numbers) else None

        assert await harness.eventually(have_numbers) == [6, 7, 8, 9]


async def test_the_database_refuses_to_draw_twice_or_to_go_back(room: Room) -> None:
    await room.announce(rate=6000)
    await room.crowd_joins(2)
    await room.start()
    await room.harness.eventually(lambda: serving(room))
    for statement in (
        "UPDATE sale SET seed = 'another'",
        "UPDATE sale SET serving = 0",
        "UPDATE entry SET number = number + 10",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await room.write(statement)


async def test_the_database_lets_nobody_in_faster_than_the_rate(room: Room) -> None:
    await room.announce(rate=60)
    await room.crowd_joins(9)
    await room.start()
    await room.harness.eventually(lambda: serving(room))
    await room.web("PATCH", paused=True)
    # On a slow machine some of the rate may not be used yet, and is good for somebody.
    await room.write("UPDATE sale SET credit = 0")
    step = "UPDATE sale SET credit = 0, advanced_at = advanced_at + interval '{} seconds', serving = serving + 2"
    for seconds in (0, 1.9):
        with pytest.raises(asyncpg.CheckViolationError, match="than the rate"):
            await room.write(step.format(seconds))
    await room.write(step.format(2))


async def test_a_sale_goes_on_when_the_databases_clock_went_back(room: Room) -> None:
    """As after a move to another server, or when two processes take steps at the same moment and the first to begin comes second."""
    await room.announce(rate=6000)
    await room.crowd_joins(3)
    await room.start()
    await room.harness.eventually(lambda: serving(room))
    await room.write("UPDATE sale SET advanced_at = now() + interval '1 hour'")
    late = uuid4()
    await room.join(late, "c")

    async def has_a_turn() -> bool:
        return bool((await room.standing(late))["state"] == "turn")

    await room.harness.eventually(has_a_turn)


async def serving(room: Room) -> bool:
    return bool((await room.sale())["serving"] >= 1)
