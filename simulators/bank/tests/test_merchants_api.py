"""What merchants can rely on, over real HTTP with a real process."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.bank.tests.conftest import Merchant, Shop, running_shop


def error_code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


async def test_without_the_api_key_nothing_is_answered(shop: Shop) -> None:
    payment = await shop.open()
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer wrong"}):
        for path in (f"/v1/payments/{payment['id']}", "/v1/ledger"):
            assert (await shop.bank.http.get(path, headers=headers)).status_code == 401


async def test_the_same_key_is_the_same_payment_and_other_content_is_refused(shop: Shop) -> None:
    at = (datetime.now(UTC) + timedelta(minutes=9)).isoformat()
    first = await shop.open("k", expires_at=at)
    again = await shop.open("k", expires_at=at)
    assert first == again
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await shop.open("k", expires_at=at, amount_minor=4201)
    assert error_code(refused.value.response) == "payment_differs"


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": "42"},
        {"currency": "euro"},
        {"return_url": "javascript:alert(1)"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2036-01-01T00:00:00"},
        {"discount": 1},
    ],
)
async def test_a_payment_that_makes_no_sense_is_not_opened(shop: Shop, change: dict[str, Any]) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await shop.open(**change)
    assert refused.value.response.status_code == 422


async def test_capture_and_refund_are_booked_once_per_key(shop: Shop) -> None:
    payment = await shop.authorised("approved")
    answers = [await shop.operate(payment, "capture", "c1") for _ in range(3)]
    assert {answer.json()["status"] for answer in answers} == {"captured"}
    assert error_code(await shop.operate(payment, "capture", "c2")) == "capture_not_possible"
    assert error_code(await shop.operate(payment, "void", "v1")) == "void_not_possible"
    refunds = [await shop.operate(payment, "refund", "r1") for _ in range(2)]
    assert {answer.json()["status"] for answer in refunds} == {"refunded"}
    assert error_code(await shop.operate(payment, "refund", "r2")) == "refund_not_possible"
    entries = await shop.bank.entries()
    assert [(entry["kind"], entry["key"], entry["amount_minor"]) for entry in entries] == [
        ("charge", "c1", 4200),
        ("refund", "r1", 4200),
    ]
    seen = (await shop.bank.http.get(f"/v1/payments/{payment['id']}")).json()
    assert seen["captured_minor"] == seen["refunded_minor"] == 4200


async def test_a_key_belongs_to_one_operation(shop: Shop) -> None:
    payment = await shop.authorised("approved")
    await shop.operate(payment, "capture", "k")
    assert error_code(await shop.operate(payment, "refund", "k")) == "key_reused"


async def test_captures_at_the_same_moment_charge_once(shop: Shop) -> None:
    payment = await shop.authorised("slow")
    answers = await asyncio.gather(*(shop.operate(payment, "capture", key) for key in ("c0", "c1") * 3))
    by_key = {key: {answer.status_code for answer in answers[n::2]} for n, key in enumerate(("c0", "c1"))}
    assert sorted(by_key.values(), key=min) == [{200}, {409}]  # every repetition gets the answer of its key
    assert len(await shop.bank.entries()) == 1


async def test_a_payment_is_voided_before_and_after_it_was_authorised(shop: Shop) -> None:
    for payment in (await shop.open(), await shop.authorised("approved")):
        assert (await shop.operate(payment, "void", f"v-{payment['id']}")).json()["status"] == "voided"
        assert error_code(await shop.operate(payment, "capture", f"c-{payment['id']}")) == "capture_not_possible"
    assert await shop.bank.entries() == []


async def test_the_broken_card_answers_500_twice_and_then_captures_with_the_same_key(shop: Shop) -> None:
    payment = await shop.authorised("capture_500")
    answers = [(await shop.operate(payment, "capture", "c")).status_code for _ in range(3)]
    assert answers == [500, 500, 200]
    assert len(await shop.bank.entries()) == 1


async def test_the_silent_card_is_charged_and_the_connection_closed_without_an_answer(shop: Shop) -> None:
    payment = await shop.authorised("capture_dropped")
    with pytest.raises(httpx.RemoteProtocolError, match=r"without sending a response|disconnected"):
        await shop.operate(payment, "capture", "c")
    assert len(await shop.bank.entries()) == 1
    assert (await shop.operate(payment, "capture", "c")).json()["status"] == "captured"
    assert len(await shop.bank.entries()) == 1


async def test_a_capture_refused_for_good_stays_refused_and_can_be_voided(shop: Shop) -> None:
    payment = await shop.authorised("capture_refused")
    for _ in range(2):
        assert error_code(await shop.operate(payment, "capture", "c")) == "capture_refused"
    assert (await shop.operate(payment, "void", "v")).json()["status"] == "voided"


async def test_the_ledger_is_read_in_pages(shop: Shop) -> None:
    for number in range(3):
        await shop.operate(await shop.authorised("approved"), "capture", f"c{number}")
    first = (await shop.bank.http.get("/v1/ledger?limit=2")).json()
    rest = (await shop.bank.http.get(f"/v1/ledger?limit=2&after={first['next']}")).json()
    assert [item["key"] for item in first["items"] + rest["items"]] == ["c0", "c1", "c2"]
    assert rest["next"] is None


async def test_the_books_survive_a_restart(tmp_path: Path, merchant: Merchant, quick: dict[str, str]) -> None:
    async with running_shop(tmp_path / "b.sqlite", merchant, quick) as before:
        payment = await before.authorised("approved")
        await before.operate(payment, "capture", "c")
    async with running_shop(tmp_path / "b.sqlite", merchant, quick) as after:
        assert await after.status(payment) == "captured"
        assert (await after.operate(payment, "capture", "c")).json()["captured_minor"] == 4200
        assert len(await after.bank.entries()) == 1


async def test_it_says_that_it_lives_and_is_ready(shop: Shop) -> None:
    for path in ("/livez", "/readyz"):
        assert (await shop.bank.http.get(path, headers={"Authorization": ""})).status_code == 200
