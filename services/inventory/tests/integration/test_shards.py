"""Two shards: an event is in one of them, and can move to the other while it is sold."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from chassis.ids import uuid7
from chassis.testing import Harness
from services.inventory import moving
from services.inventory.app import create_app
from services.inventory.buckets import BUCKETS, bucket_of
from services.inventory.moving import CannotMove, Moved, move
from services.inventory.settings import InventorySettings
from services.inventory.shards import Shards
from services.inventory.tests.integration.conftest import SEATS, Shop, publish

CAPACITY = 60


@dataclass
class Pair:
    """A shop with two shards; what it sells is in one of them."""

    shop: Shop
    urls: tuple[str, str]

    @property
    def bucket(self) -> int:
        return bucket_of(self.shop.event_id)

    async def owner(self) -> int:
        """The shard that says it has the event."""
        states = [
            await self.ask(number, "SELECT state FROM bucket WHERE bucket = $1", self.bucket) for number in (0, 1)
        ]
        return [rows[0]["state"] != "elsewhere" for rows in states].index(True)

    async def ask(self, shard: int, query: str, *values: Any) -> list[Any]:
        connection = await asyncpg.connect(self.urls[shard])
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    async def move(self) -> Moved:
        """To the other shard."""
        shards = [await asyncpg.connect(url) for url in self.urls]
        try:
            return await move(shards, self.bucket)
        finally:
            for each in shards:
                await each.close()

    async def holds(self, shard: int) -> dict[UUID, str]:
        return {row["hold_id"]: row["state"] for row in await self.ask(shard, "SELECT hold_id, state FROM hold")}


@pytest.fixture
async def pair(harness: Harness) -> AsyncIterator[Pair]:
    """An event of 60 standing places and six seats."""
    settings = harness.settings(InventorySettings, sweep_every_seconds=0.1)
    further = harness.database_url("inventory")
    settings = settings.model_copy(update={"shard_urls": [SecretStr(further)]})
    async with harness.running(create_app, settings) as app:
        made = Pair(Shop(app, harness, uuid4(), uuid4(), uuid4()), (settings.database_url.get_secret_value(), further))
        await publish(made.shop, CAPACITY, known=False)
        for shard in (0, 1):
            await harness.eventually(lambda shard=shard: _is_known(made, shard))  # type: ignore[misc]
        yield made


async def _is_known(pair: Pair, shard: int) -> bool:
    return len(await pair.ask(shard, "SELECT FROM seat")) == len(SEATS)


async def test_each_bucket_is_in_one_shard_and_both_have_some(pair: Pair) -> None:
    states = [await pair.ask(shard, "SELECT bucket, state FROM bucket ORDER BY bucket") for shard in (0, 1)]
    assert [len(each) for each in states] == [BUCKETS, BUCKETS]
    assert all({a["state"], b["state"]} == {"here", "elsewhere"} for a, b in zip(*states, strict=True))
    assert Counter(row["state"] for row in states[0]) == {"here": 128, "elsewhere": 128}


async def test_an_event_is_sold_in_its_shard_and_its_records_are_found(pair: Pair) -> None:
    owner = await pair.owner()
    held = await pair.shop.hold(standing=2, seats=["A1"])
    assert held.status_code == 201
    assert len(await pair.holds(owner)) == 1
    assert await pair.holds(1 - owner) == {}
    assert await pair.shop.left() == {"standing": CAPACITY - 2, "stalls": 5}


async def answered(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer to a request that is sent again, as orders does: on a very slow machine a bucket is frozen for longer than one waits."""
    while True:
        answer = await ask()
        if answer.status_code != 503:
            return answer
        await asyncio.sleep(0.1)


async def test_a_bucket_moves_during_a_sale_and_nothing_is_lost_or_doubled(pair: Pair) -> None:
    """Buyers hold, pay, give back and let run out, while their event moves there and back three times."""
    acknowledged: dict[UUID, str] = {}
    statuses: Counter[int] = Counter()
    is_over = False

    async def buy(number: int) -> None:
        while not is_over:
            hold_id = uuid7()
            seats = [SEATS[number % len(SEATS)]] if number % 3 == 0 else []
            order_id = uuid4()
            answer = await answered(
                lambda: pair.shop.hold(standing=0 if seats else 1, seats=seats, hold_id=hold_id, order_id=order_id)  # noqa: B023
            )
            statuses[answer.status_code] += 1
            if answer.status_code not in (200, 201):
                await asyncio.sleep(0.02)
                continue
            acknowledged[hold_id] = "held"
            how, state = (("commit", "committed"), ("release", "released"))[int(hold_id) % 5 > 0]
            ended = await answered(lambda: pair.shop.end(hold_id, how))  # noqa: B023
            statuses[ended.status_code] += 1
            if ended.status_code == 200:
                acknowledged[hold_id] = state

    buyers = [asyncio.create_task(buy(number)) for number in range(12)]
    moved = []
    for _ in range(3):
        await asyncio.sleep(0.4)
        moved.append(await pair.move())
    await asyncio.sleep(0.3)
    is_over = True
    await asyncio.gather(*buyers)

    owner = await pair.owner()
    assert statuses.keys() <= {200, 201, 409, 410}, "Nobody sees anything of it."
    assert [each.events for each in moved] == [1, 1, 1]
    assert moved[-1].holds > 0
    kept = await pair.holds(owner)
    assert {hold_id: kept.get(hold_id) for hold_id in acknowledged} == acknowledged
    assert kept.keys() == acknowledged.keys()
    assert await pair.holds(1 - owner) == {}
    sold = Counter(acknowledged.values())["committed"]
    classes = await pair.ask(owner, "SELECT sum(sold) AS sold, sum(held) AS held FROM ticket_class")
    seats = await pair.ask(owner, "SELECT state, count(*) FROM seat GROUP BY state")
    taken = {row["state"]: row["count"] for row in seats}
    assert classes[0]["sold"] + taken.get("sold", 0) == sold
    assert classes[0]["held"] == taken.get("held", 0) == 0
    forgotten = await pair.ask(1 - owner, "SELECT state FROM seat WHERE state <> 'free'")
    assert forgotten == []


async def test_holds_run_out_where_they_went(pair: Pair) -> None:
    await pair.shop.hold(standing=1, ttl_seconds=1)
    await pair.move()

    async def has_run_out() -> bool:
        return list((await pair.holds(await pair.owner())).values()) == ["expired"]

    await pair.shop.harness.eventually(has_run_out)
    assert (await pair.shop.left())["standing"] == CAPACITY


async def test_a_pass_is_used_once_wherever_its_event_is(pair: Pair) -> None:
    connection = await asyncpg.connect(pair.urls[await pair.owner()])
    held = await pair.shop.hold(standing=1)
    used = uuid4()
    await connection.execute(
        "INSERT INTO used_pass (pass_id, hold_id) VALUES ($1, $2)", used, UUID(held.json()["hold_id"])
    )
    await connection.close()
    await pair.move()
    assert [row["pass_id"] for row in await pair.ask(await pair.owner(), "SELECT pass_id FROM used_pass")] == [used]


async def test_a_process_that_knows_nothing_of_shards_cannot_sell_what_is_elsewhere(
    pair: Pair, harness: Harness
) -> None:
    """As one of the version before, or one with the settings of before, while the new ones start."""
    if await pair.owner() == 0:
        await pair.move()
    settings = harness.settings(InventorySettings, database_url=SecretStr(pair.urls[0]))
    async with harness.running(create_app, settings) as alone:
        old = Shop(alone, harness, pair.shop.event_id, pair.shop.standing, pair.shop.stalls)
        assert (await old.hold(standing=1)).status_code == 503
    assert await pair.holds(0) == {}
    assert (await pair.shop.hold(standing=1)).status_code == 201


async def test_a_process_that_has_not_heard_of_a_move_reads_nothing_from_where_the_event_was(
    pair: Pair, harness: Harness
) -> None:
    held = await pair.shop.hold(standing=5)
    urls = {"database_url": SecretStr(pair.urls[0]), "shard_urls": [SecretStr(pair.urls[1])]}
    settings = harness.settings(InventorySettings).model_copy(update=urls)
    async with harness.running(create_app, settings) as beside:
        other = Shop(beside, harness, pair.shop.event_id, pair.shop.standing, pair.shop.stalls)
        assert await other.left() == {"standing": CAPACITY - 5, "stalls": 6}
        await pair.move()
        assert await other.left() == {"standing": CAPACITY - 5, "stalls": 6}
        await pair.move()
        assert (await other.end(held.json()["hold_id"], "commit")).status_code == 200


async def test_if_the_copies_differ_it_stays_and_sells(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [(await pair.shop.hold(standing=1)).json()["hold_id"] for _ in range(3)]
    owner = await pair.owner()
    monkeypatch.setattr(moving, "_SET_COUNTERS", "SELECT 1")
    with pytest.raises(CannotMove, match="differ in ticket_class"):
        await pair.move()
    assert await pair.owner() == owner
    assert (await pair.shop.end(held[0], "commit")).status_code == 200
    monkeypatch.undo()
    await pair.move()
    assert sorted((await pair.holds(await pair.owner())).values()) == ["committed", "held", "held"]


async def test_if_the_other_shard_goes_away_during_a_move_it_stays_and_sells(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await pair.owner()
    copy_what_changed = moving._copy_what_changed

    async def without_the_target(source: Any, target: Any, bucket: int, since: str) -> None:
        target.terminate()
        await copy_what_changed(source, target, bucket, since)

    monkeypatch.setattr(moving, "_copy_what_changed", without_the_target)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await pair.move()
    states = await pair.ask(owner, "SELECT state FROM bucket WHERE bucket = $1", pair.bucket)
    assert states[0]["state"] == "here"
    assert (await pair.shop.hold(standing=1)).status_code == 201


async def test_a_move_that_died_is_begun_anew(pair: Pair) -> None:
    owner = await pair.owner()
    await pair.shop.hold(standing=1)
    source, target = await asyncpg.connect(pair.urls[owner]), await asyncpg.connect(pair.urls[1 - owner])
    await moving._copy_beside_the_sale(source, target, pair.bucket)
    await moving._freeze(source, pair.bucket)
    await source.close()
    await target.close()
    waiting = asyncio.create_task(pair.shop.hold(standing=1))
    await asyncio.sleep(0.2)
    assert not waiting.done(), "Who comes while it is frozen waits."
    assert (await pair.move()).holds >= 1
    assert (await waiting).status_code == 201
    assert len(await pair.holds(1 - owner)) == 2


async def test_a_move_that_died_after_the_switch_is_ended_where_it_went(pair: Pair) -> None:
    await pair.shop.hold(standing=1)
    owner = await pair.owner()
    await pair.move()
    await pair.ask(owner, "UPDATE bucket SET state = 'frozen' WHERE bucket = $1", pair.bucket)
    assert (await pair.move()).target == owner
    assert list((await pair.holds(owner)).values()) == ["held"]
    assert (await pair.shop.hold(standing=1)).status_code == 201


async def test_two_move_nothing_at_once_and_a_shard_that_is_not_there_gets_nothing(pair: Pair) -> None:
    other = await asyncpg.connect(pair.urls[0])
    await other.fetchval(moving._LOCK_MOVER)
    with pytest.raises(CannotMove, match="Wait until that has ended"):
        await pair.move()
    await other.close()
    shards = [await asyncpg.connect(url) for url in pair.urls]
    for to in (await pair.owner(), 2):
        with pytest.raises(CannotMove, match="Say where it shall be: TO="):
            await move(shards, pair.bucket, to)
    with pytest.raises(CannotMove, match="There is no other: make up SHARDS=2"):
        await move([shards[await pair.owner()]], pair.bucket)
    for each in shards:
        await each.close()


async def test_it_waits_until_the_other_shard_has_heard_of_all_events(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await pair.owner()
    await pair.ask(1 - owner, "UPDATE event SET version = version - 1")
    monkeypatch.setattr(moving, "HEARD_SECONDS", 0.1)
    with pytest.raises(CannotMove, match="not heard of all events"):
        await pair.move()
    assert (await pair.shop.hold(standing=1)).status_code == 201


async def test_what_names_no_event_is_refused(pair: Pair) -> None:
    shards = Shards(pair.shop.app.app.state.service._databases)
    for nothing in (None, str(pair.shop.event_id)):
        with pytest.raises(TypeError, match="Say of which event"):
            async with shards.reader(nothing):  # type: ignore[arg-type]
                pass
        with pytest.raises(TypeError, match="Say of which event"):
            async with shards.writer(nothing):  # type: ignore[arg-type]
                pass
