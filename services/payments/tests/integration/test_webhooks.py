"""Hints from the bank, genuine and forged."""

import asyncio
import hashlib
import hmac
import json
import time
from uuid import UUID

import httpx
import pytest

from services.payments.clients.bank import BankGateway
from services.payments.gateway import Seen
from services.payments.service import under_way
from services.payments.service.under_way import UnderWay
from services.payments.tests.integration.conftest import Till
from simulators.bank.testing import WEBHOOK_SECRET
from tracing.spans import trace_id_of


async def send(till: Till, body: bytes, *, secret: str = WEBHOOK_SECRET, at: int | None = None) -> httpx.Response:
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return await till.app.http.post(
        "/webhooks/bank", content=body, headers={"Bank-Signature": f"t={stamp},v1={digest}"}
    )


def hint(gateway_payment_id: str, webhook_id: str = "wh_1", kind: str = "payment.captured") -> bytes:
    return json.dumps(
        {
            "webhook_id": webhook_id,
            "type": kind,
            "gateway_payment_id": gateway_payment_id,
            "occurred_at": "2026-11-22T20:00:00Z",
        }
    ).encode()


async def gateway_id(till: Till, payment: dict[str, str]) -> str:
    rows = await till.rows("SELECT gateway_payment_id FROM payment WHERE payment_id = $1", payment["payment_id"])
    return str(rows[0][0])


async def test_a_forged_or_old_webhook_is_refused_and_kept_nowhere(till: Till) -> None:
    body = hint("pay_x")
    answers = [
        await send(till, body, secret="not the secret"),
        await send(till, body, at=int(time.time()) - 400),
        await till.app.http.post("/webhooks/bank", content=body),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, "webhook_forged")] * 3
    assert await till.rows("SELECT 1 FROM webhook") == []


async def test_a_signed_body_that_is_no_webhook_is_refused(till: Till) -> None:
    for body in (b"", b"[]", b"\xff\xfe", b'{"webhook_id": 7}', b" " * 20_000):
        assert (await send(till, body)).json()["code"] == "webhook_invalid"


@pytest.mark.parametrize("place", ["webhook_id", "type", "gateway_payment_id"])
@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\ud800", r"\udfff\ud800"])
async def test_a_signed_webhook_with_text_that_no_database_keeps_is_refused(till: Till, place: str, text: str) -> None:
    body = json.dumps(json.loads(hint("pay_x")) | {place: "here"}).replace('"here"', f'"{text}"').encode()
    answer = await send(till, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook_invalid")


async def test_a_webhook_is_only_a_hint_what_counts_is_what_the_bank_says(till: Till) -> None:
    payment = await till.open()
    sent = await send(till, hint(await gateway_id(till, payment), kind="payment.captured"))
    assert (sent.status_code, sent.content) == (204, b"")

    async def is_handled() -> bool:
        return bool(await till.rows("SELECT 1 FROM webhook WHERE handled_at IS NOT NULL"))

    await till.harness.eventually(is_handled)
    assert await till.state(payment) == "created"
    assert await till.balances() == {}


async def test_a_webhook_that_says_what_is_known_is_done_as_it_comes_and_nobody_is_asked(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await till.authorised("webhook_never")
    about = await gateway_id(till, payment)

    async def asked(*_asked: object) -> None:
        raise AssertionError("The bank was asked.")

    monkeypatch.setattr(BankGateway, "look_up", asked)
    await send(till, hint(about, "wh_1", "payment.authorised"))
    assert (await till.capture(payment)).json()["state"] == "captured"
    await send(till, hint(about, "wh_2", "payment.captured"))
    await send(till, hint(about, "wh_3", "payment.authorised"))
    found = await till.rows("SELECT attempts FROM webhook WHERE handled_at IS NOT NULL")
    assert [row["attempts"] for row in found] == [0, 0, 0]
    facts = await till.rows("SELECT subject FROM outbox ORDER BY event_id")
    assert [row["subject"].split(".")[2] for row in facts] == ["payment_authorised", "payment_captured"]


async def test_a_webhook_that_overtakes_the_answer_to_its_capture_waits_for_it(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await till.authorised("webhook_never")
    about = await gateway_id(till, payment)
    capture, over = BankGateway.capture, UnderWay.over
    waits, sent = asyncio.Event(), list[asyncio.Task[httpx.Response]]()

    async def overtaken(bank: BankGateway, gateway_payment_id: str, key: str) -> Seen:
        seen = await capture(bank, gateway_payment_id, key)
        sent.append(asyncio.create_task(send(till, hint(about))))
        await waits.wait()
        return seen

    async def noted(payments: UnderWay, payment_id: UUID | str) -> bool:
        waits.set()
        return await over(payments, payment_id)

    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 10)
    monkeypatch.setattr(BankGateway, "capture", overtaken)
    monkeypatch.setattr(UnderWay, "over", noted)
    monkeypatch.setattr(BankGateway, "look_up", never_asked)
    assert (await till.capture(payment)).json()["state"] == "captured"
    assert (await sent[0]).status_code == 204
    [taken] = await till.rows("SELECT attempts, handled_at FROM webhook")
    assert taken["attempts"] == 0
    assert taken["handled_at"] is not None


async def test_a_webhook_that_another_process_took_meanwhile_is_followed_when_the_answer_is_here(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await till.authorised("webhook_never")
    about = await gateway_id(till, payment)
    capture = BankGateway.capture

    async def overtaken(bank: BankGateway, gateway_payment_id: str, key: str) -> Seen:
        seen = await capture(bank, gateway_payment_id, key)
        await till.rows(WEBHOOK_ELSEWHERE, about)
        await till.harness.eventually(is_claimed)
        return seen

    async def is_claimed() -> bool:
        return bool(await till.rows("SELECT 1 FROM webhook WHERE attempts = 1"))

    async def is_handled() -> bool:
        return bool(await till.rows("SELECT 1 FROM webhook WHERE handled_at IS NOT NULL"))

    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 10)
    monkeypatch.setattr(BankGateway, "capture", overtaken)
    monkeypatch.setattr(BankGateway, "look_up", never_asked)
    assert (await till.capture(payment)).json()["state"] == "captured"
    await till.harness.eventually(is_handled)


WEBHOOK_ELSEWHERE = """
    INSERT INTO webhook (webhook_id, type, gateway_payment_id, attempts, ask_at)
    VALUES ('wh_elsewhere', 'payment.captured', $1, 0, now())
"""


async def never_asked(*_asked: object) -> None:
    raise AssertionError("The bank was asked.")


@pytest.mark.parametrize("kind", ["payment.refunded", "payment.voided", "payment.other", "authorised.payment"])
async def test_a_webhook_that_says_anything_else_is_asked_about(
    till: Till, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    payment = await till.authorised("webhook_never")
    asked: list[str] = []
    look_up = BankGateway.look_up

    async def counted(bank: BankGateway, gateway_payment_id: str) -> Seen:
        asked.append(gateway_payment_id)
        return await look_up(bank, gateway_payment_id)

    monkeypatch.setattr(BankGateway, "look_up", counted)
    about = await gateway_id(till, payment)
    await send(till, hint(about, kind=kind))
    await till.harness.eventually(lambda: asked == [about])


async def test_the_same_webhook_is_taken_once(till: Till) -> None:
    payment = await till.authorised("webhook_never")
    body = hint(await gateway_id(till, payment))
    assert [(await send(till, body)).status_code for _ in range(3)] == [204] * 3
    assert len(await till.rows("SELECT 1 FROM webhook")) == 1


async def test_a_fact_that_a_webhook_brings_belongs_to_the_trace_that_made_the_payment(till: Till) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    path = "/payments/018f4e1a-0000-7000-8000-000000000001"
    payment = (await till.call("PUT", path, json=till.terms(), headers=headers)).json()
    await till.bank.pay(payment["redirect_url"], "approved")
    fact = await till.harness.heard("events.payments.payment_authorised.v1")
    assert trace_id_of(fact["traceparent"]) == trace
    (webhook,) = await till.rows("SELECT traceparent FROM webhook")
    assert trace_id_of(webhook["traceparent"]) != trace
