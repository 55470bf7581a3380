"""Calling a payment off, whatever is known of it."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from chassis.ids import uuid7
from chassis.testing import Harness
from services.payments.tests.integration.conftest import Till, published_fact, running_till, together
from simulators.bank.testing import PageClosed


async def test_an_authorised_payment_is_voided_at_the_bank_and_published(till: Till) -> None:
    payment = await till.authorised("approved")
    answers = await together(*(till.void(payment) for _ in range(3)))
    assert {answer.json()["state"] for answer in answers} == {"voided"}
    assert (await published_fact(till.harness, "payment_voided"))["order_id"] == payment["order_id"]
    refused = await till.capture(payment)
    assert (refused.status_code, refused.json()["code"]) == (409, "capture_refused")
    assert await till.charges() == []


async def test_a_payment_that_waits_for_its_payer_cannot_be_paid_after_it_was_voided(till: Till) -> None:
    payment = await till.open()
    assert (await till.void(payment)).json()["state"] == "voided"
    page = await till.bank.http.get(payment["redirect_url"])
    assert page.status_code == 410


async def test_voiding_a_captured_payment_gives_the_money_back_once(till: Till) -> None:
    payment = await till.authorised("approved")
    await till.capture(payment)
    answers = await together(*(till.void(payment) for _ in range(3)))
    assert {answer.json()["state"] for answer in answers} == {"refunded"}
    assert (await published_fact(till.harness, "payment_refunded"))["amount_minor"] == 4200
    assert await till.charges() == ["charge", "refund"]
    assert await till.balances() == {"gateway_clearing": 0, "organiser_payable": 0}
    assert (await till.capture(payment)).status_code == 409


async def test_a_declined_payment_is_voided_without_asking_the_bank(till: Till) -> None:
    payment = await till.open()
    await till.bank.pay(payment["redirect_url"], "declined")
    await till.becomes(payment, "declined")
    assert (await till.void(payment)).json()["state"] == "voided"


async def test_a_payment_that_is_not_known_yet_can_never_be_made_after_it_was_voided(till: Till) -> None:
    path, terms = f"/payments/{uuid7()}", till.terms()
    for _ in range(2):
        voided = await till.call("POST", f"{path}/void")
        assert (voided.status_code, voided.json()["state"]) == (200, "voided")
    refused = await till.call("PUT", path, json=terms)
    assert (refused.status_code, refused.json()["code"]) == (409, "payment_voided")
    assert (await till.call("GET", path)).json()["order_id"] is None


async def test_making_and_voiding_at_the_same_moment_leaves_nothing_to_pay(till: Till) -> None:
    path, terms = f"/payments/{uuid7()}", till.terms()
    made, voided = await together(till.call("PUT", path, json=terms), till.call("POST", f"{path}/void"))
    assert made.status_code in {201, 409}
    assert voided.json()["state"] == "voided"

    async def is_settled() -> bool:
        return not await till.rows("SELECT 1 FROM gateway_operation WHERE state = 'unknown' AND kind = 'void'")

    await till.harness.eventually(is_settled)
    for (gateway_id,) in await till.rows("SELECT gateway_payment_id FROM payment WHERE gateway_payment_id IS NOT NULL"):
        assert (await till.bank.http.get(f"/v1/payments/{gateway_id}")).json()["status"] == "voided"


async def test_a_capture_that_is_unknown_and_then_called_off_ends_without_money(
    harness: Harness, tmp_path: Path
) -> None:
    async with running_till(harness, tmp_path, bank_timeout_seconds=0.4, ask_again_seconds=0.3) as till:
        payment = await till.open()
        await till.bank.pay(payment["redirect_url"], "slow")
        await till.becomes(payment, "authorised")
        assert (await till.capture(payment)).status_code == 503
        ended = await till.void(payment)
        assert ended.json()["state"] in {"voided", "refunded"}

        async def is_settled() -> bool:
            return not await till.rows("SELECT 1 FROM gateway_operation WHERE state = 'unknown'")

        await harness.eventually(is_settled)
        assert await till.state(payment) in {"voided", "refunded"}
        assert await till.charges() in ([], ["charge", "refund"])
        assert set((await till.balances()).values()) <= {0}


async def test_capture_and_void_at_the_same_moment_agree_with_the_bank(till: Till) -> None:
    payment = await till.authorised("approved")
    captured, voided = await together(till.capture(payment), till.void(payment))
    assert captured.status_code in {200, 409}
    final = (await till.void(payment)).json()["state"]
    assert voided.json()["state"] == final
    assert await till.charges() == (["charge", "refund"] if final == "refunded" else [])
    assert set((await till.balances()).values()) <= {0}


async def test_a_void_that_the_bank_does_not_answer_is_carried_on_by_a_worker(harness: Harness, tmp_path: Path) -> None:
    async with running_till(harness, tmp_path) as before:
        payment = await before.authorised("approved")
        await before.capture(payment)
        url = before.settings.database_url
    async with running_till(harness, tmp_path, database_url=url, bank_url="http://127.0.0.1:9") as away:
        answer = await away.void(payment)
        assert (answer.status_code, answer.json()["code"]) == (503, "gateway_unavailable")
    async with running_till(harness, tmp_path, database_url=url) as after:
        # Not before: a worker of the process whose bank is away would take it, and put it off by a minute.
        await after.rows("UPDATE gateway_operation SET ask_again_at = now()")
        await after.becomes(payment, "refunded")
        assert await after.charges() == ["charge", "refund"]


async def test_whoever_calls_off_hears_of_money_that_was_authorised_without_anybody_knowing(till: Till) -> None:
    payment = await till.open()
    till.forwarder.target = None  # the bank's word does not arrive
    await till.bank.pay(payment["redirect_url"], "approved")
    voided = (await till.void(payment)).json()
    assert (voided["state"], voided["was_authorised"]) == ("voided", True)
    never = (await till.void(await till.open())).json()
    assert (never["state"], never["was_authorised"]) == ("voided", False)


async def test_calling_off_while_the_payer_authorises_agrees_with_the_bank_about_the_money(till: Till) -> None:
    payments = [await till.open() for _ in range(12)]

    async def pay(payment: dict[str, Any], after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)  # the race itself: some come before the void, some after it
        # Whoever comes between the void and the redirect, or after both, finds the page closed.
        with contextlib.suppress(PageClosed):
            await till.bank.pay(payment["redirect_url"], "approved")

    paying = asyncio.gather(*(pay(payment, at * 0.01) for at, payment in enumerate(payments)))
    answers = await asyncio.gather(*(till.void(payment) for payment in payments))
    await paying
    for payment, answer in zip(payments, answers, strict=True):
        at_bank = (await till.bank.http.get(f"/v1/payments/{payment['redirect_url'].rsplit('/', 1)[1]}")).json()
        assert (answer.json()["state"], at_bank["status"]) == ("voided", "voided")
        assert answer.json()["was_authorised"] == (at_bank["authorised_minor"] > 0)
