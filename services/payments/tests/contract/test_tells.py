"""The facts of payments are what their consumers need: each made by the rule that makes the real one."""

from datetime import UTC, datetime
from uuid import uuid4

from contracts.provider import encoded, verify_facts
from services.payments.domain import Payment, PaymentState, Terms
from services.payments.events import PaymentAuthorised, PaymentDeclined, fact_of

NOW = datetime(2031, 6, 21, 17, 50, tzinfo=UTC)


def a_payment() -> Payment:
    terms = Terms(uuid4(), uuid4(), 5000, "EUR", "Hamlet (K7Q2-9MXA)", "http://shop.test/orders/1/return", NOW)
    return Payment(terms.payment_id, terms, 1, PaymentState.CREATED, "g-1", None, None, None, None)


async def test_payments_tells_what_its_consumers_need() -> None:
    await verify_facts(
        "payments",
        hearers=["orders"],
        facts={
            PaymentAuthorised.subject: encoded(fact_of(a_payment(), PaymentState.AUTHORISED, reason=None, at=NOW)),
            PaymentDeclined.subject: encoded(
                fact_of(a_payment(), PaymentState.DECLINED, reason="insufficient_funds", at=NOW)
            ),
        },
    )
