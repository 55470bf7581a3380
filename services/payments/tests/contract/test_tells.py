"""The facts of payments are what their consumers need: those that real payments at a real bank leave in the outbox."""

import asyncio
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from chassis.db import Database
from chassis.testing import Harness, Overheard
from contracts.consumer import with_tracing
from contracts.provider import Published, provided, published_by, verify_facts, verify_messages
from local.topology import hearers_of, watchers_of
from services.payments import pace_of_bank
from services.payments.app import create_app
from services.payments.events import BankLate, PaymentAuthorised, PaymentDeclined
from services.payments.settings import PaymentsSettings
from services.payments.tests.contract.test_is_asked import Line, States
from simulators.bank.testing import API_KEY, WEBHOOK_SECRET, running_bank


def a_payment() -> dict[str, str]:
    return {"payment_id": str(uuid4()), "order_id": str(uuid4())}


async def test_payments_tells_what_its_consumers_need(harness: Harness, tmp_path: Path) -> None:
    with_tracing()
    async with running_bank(tmp_path / "bank.sqlite", webhook_url="http://127.0.0.1:9/") as bank:
        settings = harness.settings(
            PaymentsSettings, bank_url=bank.url, bank_api_key=API_KEY, bank_webhook_secret=WEBHOOK_SECRET
        )
        database = Database(settings)
        async with provided(create_app, settings, harness) as payments:
            states = States(payments, bank, Line(bank))
            authorised, declined = a_payment(), a_payment()
            await states.a_payment_that_its_payer_authorised(authorised)
            await states.a_payment_that_the_bank_declined(declined)
            known = {
                PaymentAuthorised.subject: authorised,
                PaymentDeclined.subject: declined | {"reason": "card_declined"},
            }
            facts = {
                subject: Published(body, known[subject]) for subject, body in (await published_by(database)).items()
            }
            await verify_facts("payments", hearers=hearers_of("payments"), facts=facts)
        await database.close()


async def test_payments_says_when_the_bank_is_late(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any answer comes too late for people without patience."""
    monkeypatch.setattr(pace_of_bank, "PATIENCE_SECONDS", 0.0)
    with_tracing()
    async with running_bank(tmp_path / "bank.sqlite", webhook_url="http://127.0.0.1:9/") as bank:
        settings = harness.settings(
            PaymentsSettings, bank_url=bank.url, bank_api_key=API_KEY, bank_webhook_secret=WEBHOOK_SECRET
        )
        async with provided(create_app, settings, harness) as payments:
            said = await harness.overhear(f"{BankLate.subject}.*")
            states = States(payments, bank, Line(bank))
            for _ in range(pace_of_bank.LEAST_ASKED):
                await states.a_payment_that_its_payer_authorised(a_payment())
            message: Overheard = await asyncio.wait_for(said.get(), 20)
            messages = {BankLate.subject: Published(message.body, orjson.loads(message.body), message.headers)}
            await verify_messages("payments", watchers=watchers_of("payments"), messages=messages)
