"""Routes, and what they take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi import Request as HttpRequest
from fastapi import Response as HttpResponse
from pydantic import AwareDatetime, Field, HttpUrl

from chassis.documented import refuses
from chassis.identity import calls_from, open_to_all
from chassis.models import Request, Response
from chassis.money import MOST_MINOR
from chassis.worker import Worker
from services.payments.domain import (
    CaptureRefused,
    GatewayUnavailable,
    OrderHasPayment,
    Payment,
    PaymentCalledOff,
    PaymentDiffers,
    PaymentRefused,
    PaymentState,
    PaymentUnknown,
    Terms,
    WebhookForged,
    WebhookInvalid,
)
from services.payments.service.deciding import Deciding
from services.payments.service.opening import Opening
from services.payments.service.webhooks import Webhooks

WEBHOOK_BYTES_MAX = 16_384


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


_OPENING_REFUSALS = refuses(PaymentDiffers, PaymentCalledOff, OrderHasPayment, PaymentRefused, GatewayUnavailable)


def make_router(opening: Opening, deciding: Deciding, webhooks: Webhooks, follower: Worker) -> APIRouter:
    """The routes of this service; `follower` is woken when a webhook has come."""
    router = APIRouter()
    _add_payments(router, opening, deciding)
    _add_webhooks(router, webhooks, follower)
    return router


def _add_payments(router: APIRouter, opening: Opening, deciding: Deciding) -> None:
    @router.put(
        "/payments/{payment_id}",
        status_code=201,
        dependencies=[calls_from("orders")],
        responses={**_OPENING_REFUSALS, 200: {"model": PaymentOut, "description": "It was there."}},
    )
    async def open_payment(payment_id: UUID, asked: PaymentIn, response: HttpResponse) -> PaymentOut:
        """Makes a payment and opens the bank's page for it; 200 with the same payment when it is asked again."""
        terms = Terms(
            payment_id=payment_id,
            order_id=asked.order_id,
            amount_minor=asked.amount_minor,
            currency=asked.currency,
            description=asked.description,
            return_url=str(asked.return_url),
            pay_by=asked.pay_by,
        )
        payment, is_new = await opening.open(terms)
        response.status_code = 201 if is_new else 200
        return _payment_out(payment)

    @router.get(
        "/payments/{payment_id}",
        dependencies=[calls_from("orders")],
        responses=refuses(PaymentUnknown, GatewayUnavailable),
    )
    async def payment(payment_id: UUID, refresh: bool = False) -> PaymentOut:
        """A payment as it is known here; with `refresh` the bank is asked first."""
        return _payment_out(await deciding.look_up(payment_id, refresh=refresh))

    @router.post(
        "/payments/{payment_id}/capture",
        dependencies=[calls_from("orders")],
        responses=refuses(PaymentUnknown, CaptureRefused, GatewayUnavailable),
    )
    async def capture(payment_id: UUID) -> PaymentOut:
        """Takes the money, once however often it is asked. 503: not known yet, ask again."""
        return _payment_out(await deciding.capture(payment_id))

    @router.post(
        "/payments/{payment_id}/void",
        dependencies=[calls_from("orders")],
        responses=refuses(GatewayUnavailable),
    )
    async def void(payment_id: UUID) -> PaymentOut:
        """Calls a payment off: voided, or refunded if it was captured. One not known yet can never be made."""
        return _payment_out(await deciding.void(payment_id))


def _add_webhooks(router: APIRouter, webhooks: Webhooks, follower: Worker) -> None:
    @router.post(
        "/webhooks/bank",
        status_code=204,
        dependencies=[open_to_all],
        responses=refuses(WebhookForged, WebhookInvalid),
    )
    async def webhook(request: HttpRequest, bank_signature: Annotated[str, Header(max_length=200)] = "") -> None:
        """A hint from the bank, signed over its raw body. It is believed only so far that the bank is asked."""
        await webhooks.take(await _bounded_body(request), bank_signature, follower.wake)


async def _bounded_body(request: HttpRequest) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > WEBHOOK_BYTES_MAX:
            raise WebhookInvalid
    return body


def _payment_out(payment: Payment) -> PaymentOut:
    terms = payment.terms
    return PaymentOut(
        payment_id=payment.payment_id,
        order_id=terms.order_id if terms else None,
        amount_minor=terms.amount_minor if terms else None,
        currency=terms.currency if terms else None,
        state=payment.state,
        redirect_url=payment.redirect_url,
        decline_reason=payment.decline_reason,
        captured_at=payment.captured_at,
        was_authorised=payment.was_authorised,
    )
