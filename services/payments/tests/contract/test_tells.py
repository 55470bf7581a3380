"""The facts of payments are what their consumers need: those that real payments at a real bank leave in the outbox."""

from pathlib import Path
from uuid import uuid4

from chassis.db import Database
from chassis.testing import Harness
from contracts.consumer import with_tracing
from contracts.provider import Published, provided, published_by, verify_facts
from local.topology import hearers_of
from services.payments.app import create_app
from services.payments.events import PaymentAuthorised, PaymentDeclined
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
