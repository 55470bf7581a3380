"""What payments offers to other services, and to the bank."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, HttpUrl

from chassis.consistency import primary_only
from chassis.models import Request, Response
from chassis.money import MOST_MINOR
from chassis.operations import EVERYBODY, Operation
from chassis.records import ChassisWhat, Entry, Records, records_operation
from services.payments.domain import (
    CaptureRefused,
    GatewayUnavailable,
    OrderHasPayment,
    PaymentCalledOff,
    PaymentDiffers,
    PaymentRefused,
    PaymentState,
    PaymentUnknown,
    WebhookForged,
    WebhookInvalid,
)


class PaymentIn(Request):
    """What is to be paid. `amount_minor` in the smallest unit of `currency`; `pay_by` is the last moment to pay."""

    order_id: UUID
    amount_minor: int = Field(gt=0, le=MOST_MINOR, strict=True)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = Field(min_length=1, max_length=200)
    return_url: HttpUrl
    pay_by: AwareDatetime


class PaymentOut(Response):
    """A payment. One that was voided before it was made has no order and no amount. `was_authorised`: its payer had authorised
    it at some moment; after a void, that money went back."""

    payment_id: UUID
    order_id: UUID | None
    amount_minor: int | None
    currency: str | None
    state: PaymentState
    redirect_url: str | None
    decline_reason: str | None
    captured_at: datetime | None
    was_authorised: bool


class OpenedPaymentOut(PaymentOut):
    """A payment that has been opened: there is a page where it is paid."""

    redirect_url: str


PaymentsWhat = Literal[
    "payment_opened",
    "payment_authorised",
    "payment_captured",
    "payment_declined",
    "payment_voided",
    "payment_refunded",
    "gateway_asked",
    "gateway_silent",
    "gateway_did",
    "gateway_refused",
    "webhook_taken",
    "webhook_followed",
    "money_booked",
]


class PaymentsEntry(Entry):
    """What happened to the payments of an order."""

    what: Literal[PaymentsWhat, ChassisWhat]


class PaymentsRecords(Records):
    """An order as payments has recorded it."""

    entries: list[PaymentsEntry]


PAYMENT = "/payments/{payment_id}"
OPEN_PAYMENT = Operation(
    "PUT",
    PAYMENT,
    callers=("orders",),
    answers=OpenedPaymentOut,
    status=201,
    also={200: "It was there."},
    refuses=(PaymentDiffers, PaymentCalledOff, OrderHasPayment, PaymentRefused, GatewayUnavailable),
)
GET_PAYMENT = Operation(
    "GET",
    PAYMENT,
    callers=("orders",),
    answers=PaymentOut,
    refuses=(PaymentUnknown, GatewayUnavailable),
    reads=primary_only("Orders acts on it, with money."),
)
CAPTURE = Operation(
    "POST",
    f"{PAYMENT}/capture",
    callers=("orders",),
    answers=PaymentOut,
    refuses=(PaymentUnknown, CaptureRefused, GatewayUnavailable),
    repeatable=True,
)
VOID = Operation(
    "POST",
    f"{PAYMENT}/void",
    callers=("orders",),
    answers=PaymentOut,
    refuses=(GatewayUnavailable,),
    repeatable=True,
)
TAKE_WEBHOOK = Operation(
    "POST",
    "/webhooks/bank",
    callers=EVERYBODY,
    status=204,
    refuses=(WebhookForged, WebhookInvalid),
    repeatable=True,
)
GET_RECORDS = records_operation(PaymentsRecords)
OPERATIONS = (OPEN_PAYMENT, GET_PAYMENT, CAPTURE, VOID, TAKE_WEBHOOK, GET_RECORDS)
