"""Payments: what states there are, what may follow what, and how money is booked. Pure."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID


class PaymentState(StrEnum):
    """Where a payment stands."""

    CREATED = "created"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    PaymentState.CREATED: frozenset({PaymentState.AUTHORISED, PaymentState.DECLINED, PaymentState.VOIDED}),
    PaymentState.AUTHORISED: frozenset({PaymentState.CAPTURED, PaymentState.VOIDED}),
    PaymentState.CAPTURED: frozenset({PaymentState.REFUNDED}),
    PaymentState.DECLINED: frozenset({PaymentState.VOIDED}),
    PaymentState.VOIDED: frozenset(),
    PaymentState.REFUNDED: frozenset(),
}
# One payment of an order at a time may still bring money, so that nobody can pay an order twice.
LIVE = frozenset({PaymentState.CREATED, PaymentState.AUTHORISED, PaymentState.CAPTURED})
# States that no payment is in without its payer having authorised it.
AUTHORISED = frozenset({PaymentState.AUTHORISED, PaymentState.CAPTURED, PaymentState.REFUNDED})


def steps_to(state: PaymentState, target: PaymentState) -> list[PaymentState] | None:
    """The shortest way of transitions from a state to another, without the first; None if there is none.

    A gateway may be seen several steps ahead of us, and what it said a while ago may be behind us.
    """
    ways = deque([(state, list[PaymentState]())])
    seen = {state}
    while ways:
        here, way = ways.popleft()
        if here is target:
            return way
        for following in sorted(TRANSITIONS[here] - seen):
            seen.add(following)
            ways.append((following, [*way, following]))
    return None


def knowing(said: PaymentState | None) -> frozenset[PaymentState]:
    """The states of a payment to which the gateway's word that it has come to `said` adds nothing: those and what follows on them.

    Of money that was not reserved, or was given up, the states do not say all: there it is always asked about.
    """
    if said not in AUTHORISED:
        return frozenset()
    return frozenset(state for state in AUTHORISED if steps_to(said, state) is not None)


class OperationKind(StrEnum):
    """What the gateway is asked to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class OperationState(StrEnum):
    """`unknown` from before the gateway is asked until its answer is written down."""

    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


# The states of a payment in which an operation has taken effect, and those from which it still can.
EFFECT: dict[OperationKind, frozenset[PaymentState]] = {
    OperationKind.CAPTURE: frozenset({PaymentState.CAPTURED, PaymentState.REFUNDED}),
    OperationKind.VOID: frozenset({PaymentState.VOIDED}),
    OperationKind.REFUND: frozenset({PaymentState.REFUNDED}),
}
# The operation that was to bring a payment into a state.
ACHIEVED_BY: dict[PaymentState, OperationKind] = {
    PaymentState.CAPTURED: OperationKind.CAPTURE,
    PaymentState.VOIDED: OperationKind.VOID,
    PaymentState.REFUNDED: OperationKind.REFUND,
}
SOURCES: dict[OperationKind, frozenset[PaymentState]] = {
    OperationKind.CAPTURE: frozenset({PaymentState.AUTHORISED}),
    OperationKind.VOID: frozenset({PaymentState.CREATED, PaymentState.AUTHORISED}),
    OperationKind.REFUND: frozenset({PaymentState.CAPTURED}),
}


@dataclass(frozen=True)
class Terms:
    """What is to be paid, for which order, until when. `amount_minor` in the smallest unit of `currency` (ISO 4217)."""

    payment_id: UUID
    order_id: UUID
    amount_minor: int
    currency: str
    description: str
    return_url: str
    pay_by: datetime

    def attributes(self) -> dict[str, str | int]:
        """Which order is paid, and with which money, for spans."""
        return {
            "onsale.payment_id": str(self.payment_id),
            "onsale.order_id": str(self.order_id),
            "onsale.amount_minor": self.amount_minor,
            "onsale.currency": self.currency,
        }


@dataclass(frozen=True)
class Payment:
    """A payment. `terms` is None for one that was voided before it was made: it can never be made. `was_authorised`: money
    was reserved at some moment, also if it was given back before anybody heard of it."""

    payment_id: UUID
    terms: Terms | None
    attempt: int
    state: PaymentState
    gateway_payment_id: str | None
    redirect_url: str | None
    decline_reason: str | None
    captured_at: datetime | None
    was_authorised: bool
    traceparent: str | None

    def attributes(self) -> dict[str, str | int]:
        """Which payment this is and of which money, for spans."""
        payment: dict[str, str | int] = {
            "onsale.payment_id": str(self.payment_id),
            "onsale.payment_state": self.state.value,
        }
        return payment | (self.terms.attributes() if self.terms else {})

    def key_of(self, kind: OperationKind) -> str:
        """The key under which the gateway is asked: one per order, operation and attempt to pay, whoever asks how often."""
        return f"{self.the_terms.order_id}:{kind}:{self.attempt}"

    @property
    def the_terms(self) -> Terms:
        """The terms. Raises PaymentUnknown for a payment that was never made."""
        if self.terms is None:
            raise PaymentUnknown(self.payment_id)
        return self.terms


@dataclass(frozen=True)
class Operation:
    """Something that the gateway is asked to do; `attempts` counts how often it was asked."""

    key: str
    payment_id: UUID
    kind: OperationKind
    state: OperationState
    attempts: int
    refusal: str | None


class Account(StrEnum):
    """Accounts of the ledger, one of each per currency. A debit is positive, a credit negative."""

    GATEWAY_CLEARING = "gateway_clearing"  # what the gateway owes us
    ORGANISER_PAYABLE = "organiser_payable"  # what we owe organisers


def entries_of(step: PaymentState, amount_minor: int) -> dict[Account, int]:
    """How a step of a payment is booked: amounts by account, which sum to zero; empty if no money moves."""
    if step is PaymentState.CAPTURED:
        return {Account.GATEWAY_CLEARING: amount_minor, Account.ORGANISER_PAYABLE: -amount_minor}
    if step is PaymentState.REFUNDED:
        return {Account.GATEWAY_CLEARING: -amount_minor, Account.ORGANISER_PAYABLE: amount_minor}
    return {}


class PaymentsError(Exception):
    """Base of what this service refuses."""

    code: ClassVar[str]
    category: ClassVar[str]


class PaymentUnknown(PaymentsError):
    """No such payment."""

    code = "payment_unknown"
    category = "not_found"

    def __init__(self, payment_id: UUID) -> None:
        self.payment_id = payment_id
        super().__init__("There is no payment with this id. Check the id, or make the payment first.")


class PaymentDiffers(PaymentsError):
    """The id stands for a payment of another order, amount or currency."""

    code = "payment_differs"
    category = "conflict"

    def __init__(self, payment_id: UUID) -> None:
        self.payment_id = payment_id
        super().__init__("This id belongs to a different payment. Use a new id for a new payment.")


class PaymentCalledOff(PaymentsError):
    """It was voided, perhaps before it was made."""

    code = "payment_voided"
    category = "conflict"

    def __init__(self, payment_id: UUID) -> None:
        self.payment_id = payment_id
        super().__init__("This payment was called off and cannot be made any more. Use a new id for a new payment.")


class OrderHasPayment(PaymentsError):
    """Another payment of the order may still bring money."""

    code = "order_has_payment"
    category = "conflict"

    def __init__(self, payment_id: UUID) -> None:
        self.payment_id = payment_id
        super().__init__("The order has another payment that can still be paid. Void that one first.")


class PaymentRefused(PaymentsError):
    """The gateway does not take this payment at all."""

    code = "payment_refused"
    category = "conflict"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("The bank does not accept this payment. Start a new one, with time left to pay.")


class CaptureRefused(PaymentsError):
    """The money cannot be taken, for good."""

    code = "capture_refused"
    category = "conflict"

    def __init__(self, state: PaymentState, reason: str) -> None:
        self.state = state
        self.reason = reason
        super().__init__("The money of this payment cannot be taken. Void the payment and let the buyer pay anew.")


class GatewayUnavailable(PaymentsError):
    """The gateway gave no answer: what was asked may have happened. It is asked again with the same key."""

    code = "gateway_unavailable"
    category = "unavailable"
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("The bank does not answer at the moment. Ask again in a few seconds; nobody is charged twice.")


class WebhookForged(PaymentsError):
    """The signature of a webhook is missing, wrong or too old."""

    code = "webhook_forged"
    category = "unauthenticated"

    def __init__(self) -> None:
        super().__init__(
            "The signature does not fit this body and this time. Sign the raw body with the shared secret."
        )


class WebhookInvalid(PaymentsError):
    """A signed webhook that cannot be read."""

    code = "webhook_invalid"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__(
            "The body is not a webhook of the bank. Send webhook_id, type, gateway_payment_id, occurred_at."
        )


def live_one(payments: list[Payment]) -> Payment | None:
    """The payment among an order's that may still bring money."""
    return next((payment for payment in payments if payment.state in LIVE), None)
