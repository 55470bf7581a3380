"""The hosted page: what a payer can do, and what it says."""

import asyncio

import httpx
import pytest

from simulators.bank.tests.conftest import Merchant, Shop, eventually

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/39", "cvc": "123"}


async def test_the_page_shows_the_amount_and_every_test_card_and_runs_no_script(shop: Shop) -> None:
    payment = await shop.open()
    page = await shop.bank.http.get(payment["redirect_url"])
    assert page.status_code == 200
    assert page.text.count("/pay/" + payment["id"] + "?card=") == 11
    assert "€42.00" in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://shop.test" in policy


async def test_a_test_card_can_be_chosen_without_typing(shop: Shop) -> None:
    payment = await shop.open()
    page = await shop.bank.http.get(payment["redirect_url"] + "?card=approved")
    assert 'value="4242 4242 4242 4242"' in page.text


async def test_a_wrong_card_is_explained_and_nothing_is_decided(shop: Shop) -> None:
    payment = await shop.open()
    page = await shop.bank.http.post(payment["redirect_url"], data={**CARD, "number": '"><b>4242'})
    assert page.status_code == 422
    assert "12 to 19 digits" in page.text
    assert '"><b>' not in page.text
    assert 'value="123"' not in page.text  # the security code is never sent back
    assert await shop.status(payment) == "requires_payer"


@pytest.mark.parametrize(
    ("card", "status", "reason"),
    [
        ("approved", "authorised", None),
        ("slow", "authorised", None),
        ("declined", "declined", "card_declined"),
        ("insufficient_funds", "declined", "insufficient_funds"),
    ],
)
async def test_the_payer_is_sent_back_with_the_decision_made(
    shop: Shop, card: str, status: str, reason: str | None
) -> None:
    payment = await shop.open()
    assert await shop.bank.pay(payment["redirect_url"], card) == "http://shop.test/orders/1"
    seen = (await shop.bank.http.get(f"/v1/payments/{payment['id']}")).json()
    assert (seen["status"], seen["decline_reason"]) == (status, reason)


@pytest.mark.parametrize(("answer", "status"), [("confirm", "authorised"), ("refuse", "declined")])
async def test_a_card_that_needs_confirmation_asks_on_a_second_page(shop: Shop, answer: str, status: str) -> None:
    payment = await shop.open()
    step = await shop.bank.http.post(payment["redirect_url"], data=CARD | {"number": "4000000000003220"})
    assert step.headers["location"] == f"/pay/{payment['id']}/confirm"
    assert await shop.status(payment) == "requires_payer"
    page = await shop.bank.http.get(payment["redirect_url"] + "/confirm")
    assert "Is this you?" in page.text
    back = await shop.bank.http.post(payment["redirect_url"] + "/confirm", data={"answer": answer})
    assert (back.status_code, back.headers["location"]) == (303, "http://shop.test/orders/1")
    assert await shop.status(payment) == status


async def test_confirming_cannot_skip_the_card(shop: Shop) -> None:
    payment = await shop.open()
    answer = await shop.bank.http.post(payment["redirect_url"] + "/confirm", data={"answer": "confirm"})
    assert answer.headers["location"] == f"/pay/{payment['id']}"
    assert await shop.status(payment) == "requires_payer"


async def test_paying_twice_sends_the_payer_back_and_decides_nothing_new(shop: Shop) -> None:
    payment = await shop.authorised("approved")
    assert await shop.bank.pay(payment["redirect_url"], "declined") == "http://shop.test/orders/1"
    assert await shop.status(payment) == "authorised"


async def test_a_payment_whose_time_has_passed_cannot_be_authorised(shop: Shop) -> None:
    payment = await shop.open(seconds=1)
    pages: list[httpx.Response] = []

    async def until_closed() -> None:
        while not pages or pages[-1].status_code != 410:
            pages.append(await shop.bank.http.get(payment["redirect_url"]))

    await asyncio.wait_for(until_closed(), 10)
    assert "The time to pay has passed" in pages[-1].text
    late = await shop.bank.http.post(payment["redirect_url"], data=CARD)
    assert late.status_code == 410
    assert await shop.status(payment) == "requires_payer"


async def test_a_payment_that_expires_while_the_bank_thinks_is_not_authorised(shop: Shop) -> None:
    payment = await shop.open(seconds=0.5)
    answer = await shop.bank.http.post(payment["redirect_url"], data=CARD | {"number": "4000000000001018"})
    assert answer.status_code == 410
    assert await shop.status(payment) == "requires_payer"


async def test_a_payment_that_the_shop_withdrew_cannot_be_paid(shop: Shop) -> None:
    payment = await shop.open()
    await shop.operate(payment, "void", "v")
    page = await shop.bank.http.post(payment["redirect_url"], data=CARD)
    assert page.status_code == 410
    assert "The shop has withdrawn this payment" in page.text


async def test_an_unknown_payment_is_a_page_with_a_sentence(shop: Shop) -> None:
    page = await shop.bank.http.get("/pay/pay_unknown")
    assert page.status_code == 404
    assert "There is no such payment" in page.text


async def test_the_approved_payer_is_not_kept_waiting_by_a_merchant_that_is_down(
    shop: Shop, merchant: Merchant
) -> None:
    merchant.answers.extend([503] * 3)
    await shop.authorised("approved")
    await eventually(lambda: merchant.attempts >= 4)
