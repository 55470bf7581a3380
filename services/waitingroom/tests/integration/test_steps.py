"""Steps of a sale over real Postgres: neither a crowd that joins, nor its size, nor old sales keep one from being taken."""

from uuid import uuid4

import pytest

from chassis.db import Database
from services.waitingroom import queries
from services.waitingroom.tests.integration.conftest import Room


async def test_who_is_just_joining_keeps_no_step_from_being_taken(room: Room) -> None:
    await room.announce()
    database = room.app.app.state.service._databases[0]
    async with database.writer() as joining, database.writer() as stepping:
        await queries.join(joining, uuid4(), room.event_id, uuid4(), "a" * 64)
        assert await queries.take_due_sale(stepping, room.event_id) is not None


async def test_who_is_just_joining_keeps_nobody_from_steering_and_the_sale_starts(room: Room) -> None:
    await room.announce()
    async with room.app.app.state.service._databases[0].writer() as joining:
        await queries.join(joining, uuid4(), room.event_id, uuid4(), "a" * 64)
        assert (await room.web("PATCH", paused=True)).json()["rate"] == 6000
        await room.start()
    assert (await room.sale())["state"] == "paused"


async def test_lots_are_drawn_however_long_that_takes(room: Room) -> None:
    """As long as a great crowd takes in one statement: here each number takes a second, and statements otherwise have half of one."""
    await room.announce()
    await room.crowd_joins(2)
    await room.write("""
        CREATE FUNCTION take_a_second() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_sleep(1);
            RETURN NEW;
        END $$
    """)
    await room.write(
        "CREATE TRIGGER take_a_second BEFORE UPDATE OF number ON entry FOR EACH ROW EXECUTE FUNCTION take_a_second()"
    )
    settings = room.app.app.state.service.settings
    database = Database(settings.model_copy(update={"statement_timeout_seconds": 0.5}))
    try:
        async with database.writer() as tx:
            assert await queries.draw_lots(tx, room.event_id, "seed") == 2
    finally:
        await database.close()


async def test_a_sale_begins_however_many_old_ones_nobody_has_ended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SALES_AT_ONCE", 2)
    for _ in range(2):
        old = Room(room.app, room.harness, room.crowd)
        await old.announce()
        await old.start()
    await room.announce()
    soon = "UPDATE sale SET doors_open_at = now() - interval '1 minute', starts_at = now()"
    await room.write(f"{soon} WHERE event_id = '{room.event_id}'")
    await room.harness.eventually(room.has_drawn, patience_seconds=20)
