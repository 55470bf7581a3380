"""Places of an event with a waiting room are held with a pass: for this event and this buyer, while it is good, and once."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.ids import uuid7
from services.inventory.domain import PassNeeded, Wish
from services.inventory.service import Hold, Inventory
from services.inventory.shards import Shards
from services.inventory.tests.integration.conftest import SEATS, Shop

BUYER = uuid4()
EITHER_KIND: tuple[dict[str, Any], ...] = ({"standing": 1}, {"seats": ["A1"]})


def a_pass(shop: Shop, key: Ed25519PrivateKey | None = None, **changed: Any) -> str:
    """A pass as the waiting room signs it, or one that is changed."""
    now = int(time.time())
    claims = {
        "iss": "waitingroom",
        "aud": "places",
        "sub": str(BUYER),
        "event": str(shop.event_id),
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + 600,
    }
    key = key or shop.harness.keys.services["waitingroom"]
    return jwt.encode(claims | changed, key, algorithm="EdDSA", headers={"kid": "waitingroom"})


@pytest.fixture
async def sale(shop: Shop) -> Shop:
    """The shop, with a waiting room."""
    await schedule(shop, needs_pass=True, version=1)
    return shop


async def schedule(shop: Shop, *, needs_pass: bool, version: int) -> None:
    fact = {"event_id": str(shop.event_id), "needs_pass": needs_pass}
    subject = "events.waitingroom.sale_scheduled.v1"
    await shop.harness.tell(subject, fact, aggregate_id=str(shop.event_id), version=version)

    async def is_known() -> bool:
        (row,) = await shop.rows("SELECT needs_pass, sale_version FROM event")
        return bool(row["sale_version"] >= version)

    await shop.harness.eventually(is_known)


async def hold(shop: Shop, admission: str | None, **wanted: Any) -> Any:
    return await shop.hold(buyer_id=str(BUYER), admission=admission, **(wanted or {"standing": 1}))


async def test_with_a_pass_places_and_seats_are_held(sale: Shop) -> None:
    assert (await hold(sale, a_pass(sale))).status_code == 201
    assert (await hold(sale, a_pass(sale), seats=["A1"])).status_code == 201


async def test_anything_else_than_a_good_pass_is_refused(sale: Shop) -> None:
    another = Ed25519PrivateKey.generate()
    orders = sale.harness.keys.services["orders"]
    bad = {
        "none": None,
        "nonsense": "a.b.c",
        "another key": a_pass(sale, another),
        "another service's key": a_pass(sale, orders),
        "another buyer's": a_pass(sale, sub=str(uuid4())),
        "another event's": a_pass(sale, event=str(uuid4())),
        "one that is over": a_pass(sale, exp=int(time.time()) - 60),
        "a service's token": sale.harness.service_token("waitingroom", "inventory"),
        "without an id": a_pass(sale, jti=""),
    }
    for what, admission in bad.items():
        for wanted in EITHER_KIND:
            refused = await hold(sale, admission, **wanted)
            assert (refused.status_code, refused.json()["code"]) == (403, "pass_needed"), what
    assert await sale.left() == {"standing": 10, "stalls": 6}


async def test_a_pass_is_used_once_and_again_by_whoever_repeats_the_same_hold(sale: Shop) -> None:
    admission, hold_id, order_id = a_pass(sale), uuid7(), uuid4()
    same = {"standing": 2, "hold_id": hold_id, "order_id": order_id}
    assert (await hold(sale, admission, **same)).status_code == 201
    assert (await hold(sale, admission, **same)).status_code == 200
    refused = await hold(sale, admission)
    assert (refused.status_code, refused.json()["code"]) == (409, "pass_used")
    await sale.end(hold_id, "release")
    assert (await hold(sale, admission)).json()["code"] == "pass_used"


async def test_of_a_crowd_with_one_pass_one_gets_places(sale: Shop) -> None:
    admission = a_pass(sale)
    answers = await asyncio.gather(*(hold(sale, admission) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


async def test_who_gets_no_places_keeps_the_pass(sale: Shop) -> None:
    admission = a_pass(sale)
    assert (await hold(sale, admission, standing=11)).json()["code"] == "sold_out"
    assert (await hold(sale, admission, standing=10)).status_code == 201


@pytest.mark.parametrize("chosen", [(), tuple(SEATS)], ids=["the best", "certain ones"])
async def test_who_has_no_pass_takes_no_seats_from_who_has_one(sale: Shop, chosen: tuple[str, ...]) -> None:
    service = sale.app.app.state.service
    inventory = Inventory(Shards(service._databases), service.bus)
    best = () if chosen else ((sale.stalls, len(SEATS)),)
    without = Wish(uuid7(), uuid4(), best, chosen, 600)
    with_one = Wish(uuid7(), uuid4(), ((sale.stalls, 1),), (), 600, pass_id=uuid4())
    refused, held = await inventory.place_holds(sale.event_id, [without, with_one])
    assert isinstance(refused, PassNeeded)
    assert isinstance(held, Hold)


async def test_after_the_sale_and_without_one_no_pass_is_needed(sale: Shop) -> None:
    await schedule(sale, needs_pass=False, version=2)
    assert (await hold(sale, None)).status_code == 201
    await schedule(sale, needs_pass=True, version=1)
    assert (await hold(sale, None)).status_code == 201, "An older fact changes nothing."
