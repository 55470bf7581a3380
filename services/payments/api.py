"""Payments' routes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi import Request as HttpRequest
from fastapi import Response as HttpResponse

from chassis.operations import serves
from chassis.worker import Worker
from services.payments.domain import Payment, Terms, WebhookInvalid
from services.payments.operations import (
    CAPTURE,
    GET_PAYMENT,
    OPEN_PAYMENT,
    TAKE_WEBHOOK,
    VOID,
    OpenedPaymentOut,
    PaymentIn,
    PaymentOut,
)
from services.payments.service import Payments

WEBHOOK_BYTES_MAX = 16_384


def make_router(payments: Payments, follower: Worker) -> APIRouter:
    """The routes of this service; `follower` is woken when a webhook has come."""
    router = APIRouter()
    _add_payments(router, payments)
    _add_webhooks(router, payments, follower)
    return router


def _add_payments(router: APIRouter, payments: Payments) -> None:
    @serves(router, OPEN_PAYMENT)
    async def open_payment(payment_id: UUID, asked: PaymentIn, response: HttpResponse) -> OpenedPaymentOut:
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
        payment, is_new = await payments.open_payment(terms)
        response.status_code = 201 if is_new else 200
        return OpenedPaymentOut.model_validate(_payment_out(payment))

    @serves(router, GET_PAYMENT)
    async def payment(payment_id: UUID, refresh: bool = False) -> PaymentOut:
        """A payment as it is known here; with `refresh` the bank is asked first."""
        return _payment_out(await payments.look_up_payment(payment_id, refresh=refresh))

    @serves(router, CAPTURE)
    async def capture(payment_id: UUID) -> PaymentOut:
        """Takes the money, once however often it is asked. 503: not known yet, ask again."""
        return _payment_out(await payments.capture_payment(payment_id))

    @serves(router, VOID)
    async def void(payment_id: UUID) -> PaymentOut:
        """Calls a payment off: voided, or refunded if it was captured. One not known yet can never be made."""
        return _payment_out(await payments.void_or_refund_payment(payment_id))


def _add_webhooks(router: APIRouter, payments: Payments, follower: Worker) -> None:
    @serves(router, TAKE_WEBHOOK)
    async def webhook(request: HttpRequest, bank_signature: Annotated[str, Header(max_length=200)] = "") -> None:
        """A hint from the bank, signed over its raw body. It is believed only so far that the bank is asked."""
        await payments.take_webhook(await _bounded_body(request), bank_signature, follower.wake)


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
