"""Who has a seat is kept by the database itself, whatever the code does; and the code sees when a statement did not do what was meant."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from chassis.db import Transaction
from chassis.testing import Harness
from services.inventory import queries
from services.inventory.domain import PromiseBroken, SeatRow, SeatState
from services.inventory.settings import InventorySettings
from services.inventory.tests.integration.conftest import Shop

FIRST, SECOND = UUID(int=1), UUID(int=2)
ENDED = "UPDATE hold SET state = :state WHERE hold_id = :first"


@dataclass
class Past:
    """The database past the code. One hold (`:first`) has A1 and A2, another one (`:second`) B1; neither is sold."""

    harness: Harness
    url: str

    async def write(self, *statements: str) -> None:
        await self.harness.write(self.url, *(_named(statement) for statement in statements))

    async def refused(self, *statements: str) -> str:
        return await self.harness.refused(self.url, *(_named(statement) for statement in statements))


def _named(statement: str) -> str:
    return statement.replace(":first", f"'{FIRST}'").replace(":second", f"'{SECOND}'")


@pytest.fixture
async def past(shop: Shop, inventory_settings: InventorySettings) -> Past:
    assert (await shop.hold(seats=["A1", "A2"], hold_id=FIRST)).status_code == 201
    assert (await shop.hold(seats=["B1"], hold_id=SECOND)).status_code == 201
    return Past(shop.harness, inventory_settings.database_url.get_secret_value())


async def test_a_seat_of_a_hold_is_not_given_to_another(past: Past) -> None:
    said = await past.refused("UPDATE seat SET hold_id = :second WHERE seat_id = 'A1'")
    assert said == "this seat is promised to another hold: release that one first"


async def test_a_seat_that_was_sold_is_not_given_to_another(shop: Shop, past: Past) -> None:
    await shop.end(FIRST, "commit")
    said = await past.refused("UPDATE seat SET state = 'held', hold_id = :second WHERE seat_id = 'A1'")
    assert "promised to another hold" in said


async def test_a_seat_that_was_let_go_of_is_given_to_another(shop: Shop, past: Past) -> None:
    await shop.end(FIRST, "release")
    await past.write("UPDATE seat SET state = 'held', hold_id = :second WHERE seat_id = 'A1'")


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(["UPDATE seat SET state = 'sold' WHERE seat_id = 'A1'"], id="its hold is held"),
        pytest.param(
            [
                "UPDATE seat SET state = 'free', hold_id = NULL WHERE hold_id = :first",
                "UPDATE hold SET state = 'released' WHERE hold_id = :first",
                "UPDATE seat SET state = 'sold', hold_id = :first WHERE seat_id = 'A1'",
            ],
            id="its hold is released",
        ),
        pytest.param(
            [
                "INSERT INTO seat SELECT event_id, 'C1', class_id, '', 'sold', :first FROM seat WHERE seat_id = 'A1'",
            ],
            id="it is new",
        ),
    ],
)
async def test_a_seat_is_not_sold_without_a_committed_hold(past: Past, statements: list[str]) -> None:
    assert "sold seats" in await past.refused(*statements)


async def test_a_hold_is_not_committed_while_one_of_its_seats_is_not_sold(past: Past) -> None:
    said = await past.refused(
        "UPDATE seat SET state = 'sold' WHERE seat_id = 'A1'",
        "UPDATE hold SET state = 'committed' WHERE hold_id = :first",
    )
    assert said == f"hold {FIRST} is committed, so it must have 2 sold seats, and it has 1"


async def test_a_committed_hold_does_not_lose_a_seat(shop: Shop, past: Past) -> None:
    await shop.end(FIRST, "commit")
    assert "it has 1" in await past.refused("UPDATE seat SET state = 'free', hold_id = NULL WHERE seat_id = 'A1'")


@pytest.mark.parametrize("state", ["released", "expired"])
async def test_a_hold_that_ends_keeps_no_seat(past: Past, state: str) -> None:
    said = await past.refused(ENDED.replace(":state", f"'{state}'"))
    assert said == f"hold {FIRST} is {state}, so it must keep no seat, and it has 2 held ones"


async def test_a_hold_is_sold_in_whichever_order_the_statements_come(past: Past) -> None:
    sells = "UPDATE seat SET state = 'sold' WHERE hold_id = :first"
    await past.write("UPDATE hold SET state = 'committed' WHERE hold_id = :first", sells)


@pytest.mark.parametrize("state", ["held", "committed", "expired"])
async def test_a_released_hold_does_not_come_back(shop: Shop, past: Past, state: str) -> None:
    await shop.end(FIRST, "release")
    said = await past.refused(ENDED.replace(":state", f"'{state}'"))
    assert said == "this hold has ended or is sold, and does not come back: make a new one"


@pytest.mark.parametrize("state", ["held", "expired"])
async def test_a_sold_hold_can_only_be_released(shop: Shop, past: Past, state: str) -> None:
    await shop.end(FIRST, "commit")
    assert "does not come back" in await past.refused(ENDED.replace(":state", f"'{state}'"))


async def test_only_a_tombstone_is_of_no_order(past: Past) -> None:
    assert "of_an_order_or_released" in await past.refused("UPDATE hold SET order_id = NULL")


async def test_a_seat_that_the_lock_did_not_keep_is_not_given_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.hold(seats=["A1"])

    async def all_free(_tx: Transaction, _event_id: UUID, seat_ids: list[str]) -> dict[str, SeatRow]:
        return {seat_id: SeatRow(seat_id, shop.stalls, seat_id, SeatState.FREE) for seat_id in seat_ids}

    monkeypatch.setattr(queries, "lock_seats", all_free)
    assert (await shop.hold(seats=["A1", "A2"], standing=1)).status_code == 500
    assert await shop.left() == {"standing": 10, "stalls": 5}
    assert await shop.rows("SELECT count(*) AS holds FROM hold") == [{"holds": 1}]


async def test_a_hold_that_lost_a_seat_is_not_sold(shop: Shop, past: Past) -> None:
    await past.write("UPDATE seat SET state = 'free', hold_id = NULL WHERE seat_id = 'A1'")
    assert (await shop.end(FIRST, "commit")).status_code == 500
    rows = await shop.rows(
        "SELECT hold.state, seat.state AS seat FROM hold JOIN seat USING (hold_id) WHERE seat_id = 'A2'"
    )
    assert rows == [{"state": "held", "seat": "held"}]


async def test_only_as_many_seats_are_sold_as_the_hold_has(shop: Shop, past: Past) -> None:
    with pytest.raises(PromiseBroken, match="2 held seats were changed where 3 were meant"):
        async with shop.app.app.state.service._databases[0].writer() as tx:
            await queries.sell_held_seats(tx, FIRST, 3)


async def test_a_sale_of_places_whose_class_is_not_there_is_not_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_id = (await shop.hold(standing=2)).json()["hold_id"]
    monkeypatch.setattr("services.inventory.service.quantities", lambda _lines: {UUID(int=9): 2})
    assert (await shop.end(hold_id, "commit")).status_code == 500
    assert (await shop.get(f"holds/{hold_id}", caller="orders"))["state"] == "held"


async def test_a_hold_changes_only_from_the_state_that_was_read(shop: Shop) -> None:
    hold_id = (await shop.hold(standing=2)).json()["hold_id"]
    with pytest.raises(PromiseBroken, match="0 holds that are expired"):
        async with shop.app.app.state.service._databases[0].writer() as tx:
            await queries.set_hold_state(tx, UUID(hold_id), "expired", "committed")
