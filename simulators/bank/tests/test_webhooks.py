"""What a merchant receives, how often, and when (the merchant of these tests refuses wrong signatures)."""

import sqlite3
from contextlib import closing
from pathlib import Path

from simulators.bank.tests.conftest import Merchant, Shop, eventually, running_shop


async def test_each_change_is_sent_once_and_signed(shop: Shop, merchant: Merchant) -> None:
    payment = await shop.authorised("approved")
    await shop.operate(payment, "capture", "c")
    await shop.operate(payment, "refund", "r")
    await eventually(lambda: len(merchant.received) == 3)
    assert sorted(merchant.types()) == ["payment.authorised", "payment.captured", "payment.refunded"]
    assert {webhook["gateway_payment_id"] for webhook in merchant.received} == {payment["id"]}
    assert len({webhook["webhook_id"] for webhook in merchant.received}) == 3
    assert all(webhook["occurred_at"].endswith("Z") for webhook in merchant.received)
    assert merchant.attempts == 3


async def test_a_decline_is_sent(shop: Shop, merchant: Merchant) -> None:
    await shop.authorised("declined")
    await eventually(lambda: merchant.types() == ["payment.declined"])


async def test_the_card_that_tells_twice_sends_the_same_webhook_twice(shop: Shop, merchant: Merchant) -> None:
    await shop.authorised("webhook_twice")
    await eventually(lambda: len(merchant.received) == 2)
    assert merchant.received[0] == merchant.received[1]


async def test_the_card_that_tells_late_tells_after_the_payer_is_back(shop: Shop, merchant: Merchant) -> None:
    await shop.authorised("webhook_late")
    assert merchant.received == []
    await eventually(lambda: merchant.types() == ["payment.authorised"])


async def test_the_card_that_never_tells_never_tells(shop: Shop, merchant: Merchant) -> None:
    await shop.authorised("webhook_never")
    await shop.authorised("approved")  # queued after it, so when this one has come the other would have come too
    await eventually(lambda: len(merchant.received) == 1)
    assert merchant.attempts == 1


async def test_a_webhook_that_was_not_taken_is_sent_again(shop: Shop, merchant: Merchant) -> None:
    merchant.answers = [500, 503]
    await shop.authorised("approved")
    await eventually(lambda: merchant.types() == ["payment.authorised"])
    assert merchant.attempts == 3


async def test_tries_are_bounded(tmp_path: Path, merchant: Merchant, quick: dict[str, str]) -> None:
    merchant.answers = [500] * 100
    impatient = {**quick, "BANK_WEBHOOK_RETRY_SECONDS": "0.001"}
    async with running_shop(tmp_path / "b.sqlite", merchant, impatient) as shop:
        await shop.authorised("approved")
        with closing(sqlite3.connect(tmp_path / "b.sqlite")) as books:
            query = "SELECT attempts FROM webhook WHERE given_up"
            await eventually(lambda: books.execute(query).fetchall() == [(8,)])
    assert merchant.attempts == 8


async def test_a_webhook_survives_a_restart(tmp_path: Path, merchant: Merchant, quick: dict[str, str]) -> None:
    merchant.answers = [500]
    patient = {**quick, "BANK_WEBHOOK_RETRY_SECONDS": "1"}
    async with running_shop(tmp_path / "b.sqlite", merchant, patient) as shop:
        await shop.authorised("approved")
        await eventually(lambda: merchant.attempts == 1)
    async with running_shop(tmp_path / "b.sqlite", merchant, patient):
        await eventually(lambda: merchant.types() == ["payment.authorised"])
