"""Facts that this service publishes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.facts import BusMessage, Fact
from services.payments.domain import Payment, PaymentState


class _AboutPayment(Fact):
    aggregate: ClassVar[str] = "payment_id"

    payment_id: UUID
    order_id: UUID


class _AboutMoney(_AboutPayment):
    amount_minor: int
    currency: str


class PaymentAuthorised(_AboutMoney):
    """The payer agreed and the money is reserved."""

    subject: ClassVar[str] = "events.payments.payment_authorised.v1"


class PaymentDeclined(_AboutPayment):
    """The bank said no; `reason` is its code."""

    subject: ClassVar[str] = "events.payments.payment_declined.v1"

    reason: str


class PaymentCaptured(_AboutMoney):
    """The money was taken."""

    subject: ClassVar[str] = "events.payments.payment_captured.v1"

    captured_at: datetime


class PaymentVoided(_AboutMoney):
    """The payment was called off before money was taken."""

    subject: ClassVar[str] = "events.payments.payment_voided.v1"


class PaymentRefunded(_AboutMoney):
    """All of the money was given back."""

    subject: ClassVar[str] = "events.payments.payment_refunded.v1"


class BankLate(BusMessage):
    """The bank's answers take so many seconds longer than people should wait, as one process of payments sees it; 0: no longer.

    It is said every second while the bank is late, and once when it keeps up again."""

    subject: ClassVar[str] = "bus.payments.bank_late"
    aggregate: ClassVar[str] = "process_id"

    process_id: UUID
    late_seconds: float


def fact_of(payment: Payment, step: PaymentState, *, reason: str | None, at: datetime) -> Fact:
    """The fact that tells a step of a payment. Raises KeyError for a step that nobody can take (`created`)."""
    terms = payment.the_terms
    if step is PaymentState.DECLINED:
        return PaymentDeclined(payment_id=payment.payment_id, order_id=terms.order_id, reason=reason or "unknown")
    money = {
        "payment_id": payment.payment_id,
        "order_id": terms.order_id,
        "amount_minor": terms.amount_minor,
        "currency": terms.currency,
    }
    if step is PaymentState.CAPTURED:
        return PaymentCaptured(**money, captured_at=at)
    kinds = {
        PaymentState.AUTHORISED: PaymentAuthorised,
        PaymentState.VOIDED: PaymentVoided,
        PaymentState.REFUNDED: PaymentRefunded,
    }
    return kinds[step](**money)
