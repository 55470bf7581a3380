"""Every test card of the bank, from the payer's page to the books."""

import asyncio
from pathlib import Path

import pytest

from chassis.testing import Harness
from services.payments.domain import Operation
from services.payments.service.gateway_operations import GatewayOperations
from services.payments.tests.integration.conftest import (
    WORKERS_LOOK_EVERY_SECONDS,
    Till,
    published_fact,
    running_till,
    together,
)

BOOKED = {"gateway_clearing": 4200, "organiser_payable": -4200}


async def test_an_approved_card_is_authorised_by_webhook_and_captured_once(till: Till) -> None:
    payment = await till.open()
    assert await till.bank.pay(payment["redirect_url"], "approved") == "http://shop.test/orders/1"
    fact = await published_fact(till.harness, "payment_authorised")
    about = {key: payment[key] for key in ("payment_id", "order_id", "amount_minor", "currency")}
    assert fact == about
    assert [(await till.capture(payment)).json()["state"] for _ in range(3)] == ["captured"] * 3
    captured = await published_fact(till.harness, "payment_captured")
    assert captured == about | {"captured_at": captured["captured_at"]}
    assert await till.charges() == ["charge"]
    assert await till.balances() == BOOKED


@pytest.mark.parametrize(
    ("card", "reason"), [("declined", "card_declined"), ("insufficient_funds", "insufficient_funds")]
)
async def test_a_declined_card_is_published_with_its_reason_and_the_order_may_try_again(
    till: Till, card: str, reason: str
) -> None:
    payment = await till.open()
    await till.bank.pay(payment["redirect_url"], card)
    fact = await published_fact(till.harness, "payment_declined")
    assert fact == {"payment_id": payment["payment_id"], "order_id": payment["order_id"], "reason": reason}
    refused = await till.capture(payment)
    assert (refused.status_code, refused.json()["code"]) == (409, "capture_refused")
    again = await till.authorised("approved", order_id=payment["order_id"])
    assert (await till.capture(again)).json()["state"] == "captured"
    keys = await till.rows("SELECT key FROM gateway_operation WHERE kind = 'authorise' ORDER BY key")
    assert [row["key"] for row in keys] == [f"{payment['order_id']}:authorise:{n}" for n in (1, 2)]


@pytest.mark.parametrize(("answer", "state"), [("confirm", "authorised"), ("refuse", "declined")])
async def test_a_card_that_needs_confirmation_waits_for_the_second_page(till: Till, answer: str, state: str) -> None:
    payment = await till.open()
    await till.bank.pay(payment["redirect_url"], "confirm", answer=answer)
    await till.becomes(payment, state)


async def test_a_slow_bank_is_waited_for(till: Till) -> None:
    payment = await till.authorised("slow")
    assert (await till.capture(payment)).json()["state"] == "captured"
    assert await till.charges() == ["charge"]


async def test_a_bank_that_is_slower_than_the_time_out_leaves_unknown_and_charges_once(
    harness: Harness, tmp_path: Path
) -> None:
    async with running_till(harness, tmp_path, bank_timeout_seconds=0.4, ask_again_seconds=0.3) as till:
        payment = await till.open()
        await till.bank.pay(payment["redirect_url"], "slow")
        await till.becomes(payment, "authorised")
        answers = await together(till.capture(payment), till.capture(payment))
        assert {answer.json()["code"] for answer in answers} == {"gateway_unavailable"}
        assert {answer.headers["retry-after"] for answer in answers} == {"2"}
        await till.becomes(payment, "captured")
        assert await till.charges() == ["charge"]
        assert await till.balances() == BOOKED


async def test_a_bank_that_answers_500_is_asked_again_with_the_same_key(till: Till) -> None:
    payment = await till.authorised("capture_500")
    answers = [await till.capture(payment) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[2].json()["state"] == "captured"
    # Its own ledger says under which key: one that refuses a second charge by itself would hide that it was asked under others.
    assert [entry["key"] for entry in await till.bank.entries()] == [f"{payment['order_id']}:capture:1"]
    (operation,) = await till.rows("SELECT key, state, attempts FROM gateway_operation WHERE kind = 'capture'")
    assert tuple(operation) == (f"{payment['order_id']}:capture:1", "succeeded", 3)


@pytest.mark.parametrize("decision", ["capture", "void"])
async def test_no_worker_overtakes_the_request_that_decided(
    till: Till, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await till.authorised("approved")
    asked: list[str] = []
    carry_out = GatewayOperations.carry_out

    async def slowly(operations: GatewayOperations, operation: Operation) -> None:
        asked.append(operation.key)
        await asyncio.sleep(5 * WORKERS_LOOK_EVERY_SECONDS)
        await carry_out(operations, operation)

    monkeypatch.setattr(GatewayOperations, "carry_out", slowly)
    answer = await (till.capture(payment) if decision == "capture" else till.void(payment))
    assert answer.status_code == 200
    assert asked == [f"{payment['order_id']}:{decision}:1"]


async def test_a_worker_finishes_an_unknown_capture_that_nobody_asks_for_again(
    harness: Harness, tmp_path: Path
) -> None:
    async with running_till(harness, tmp_path, ask_again_seconds=0.2) as till:
        payment = await till.authorised("capture_500")
        assert (await till.capture(payment)).status_code == 503
        await till.becomes(payment, "captured")
        assert await till.charges() == ["charge"]


async def test_a_bank_that_charges_and_drops_the_connection_has_charged_exactly_once(till: Till) -> None:
    payment = await till.authorised("capture_dropped")
    answers = await together(*(till.capture(payment) for _ in range(3)))
    assert [(await till.capture(payment)).json()["state"] for _ in range(2)] == ["captured"] * 2
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert await till.charges() == ["charge"]
    assert await till.balances() == BOOKED


async def test_a_capture_refused_for_good_stays_refused_and_the_payment_can_be_voided(till: Till) -> None:
    payment = await till.authorised("capture_refused")
    for _ in range(2):
        refused = await till.capture(payment)
        assert (refused.status_code, refused.json()["code"]) == (409, "capture_refused")
    assert (await till.void(payment)).json()["state"] == "voided"
    assert await till.charges() == []
    assert await till.balances() == {}


async def test_a_webhook_that_comes_twice_is_one_fact(till: Till) -> None:
    payment = await till.open()
    await till.bank.pay(payment["redirect_url"], "webhook_twice")
    await till.becomes(payment, "authorised")
    await till.harness.eventually(lambda: till.forwarder.received >= 2)
    assert len(await till.rows("SELECT 1 FROM webhook")) == 1
    facts = await till.rows("SELECT 1 FROM outbox WHERE subject = 'events.payments.payment_authorised.v1'")
    assert len(facts) == 1


async def test_a_payer_who_is_back_before_the_webhook_is_seen_by_asking(till: Till) -> None:
    payment = await till.authorised("webhook_late")
    await till.harness.eventually(lambda: till.forwarder.received == 1)
    assert await till.state(payment) == "authorised"
    facts = await till.rows("SELECT 1 FROM outbox WHERE subject = 'events.payments.payment_authorised.v1'")
    assert len(facts) == 1


async def test_a_payment_of_which_nothing_is_heard_is_asked_about(harness: Harness, tmp_path: Path) -> None:
    async with running_till(harness, tmp_path, ask_after_seconds=0.3) as till:
        payment = await till.open()
        await till.bank.pay(payment["redirect_url"], "webhook_never")
        await till.becomes(payment, "authorised")
        assert till.forwarder.received == 0
