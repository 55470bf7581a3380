"""Payments, as orders sees them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import httpx
from pydantic import BaseModel

from chassis.http import ProviderProblem, expect

PAYMENT = "/payments/{payment_id}"


class PaymentState(StrEnum):
    """A payment's life, as payments tells it."""

    CREATED = "created"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Payment:
    """How a payment stands."""

    state: PaymentState
    redirect_url: str | None
    decline_reason: str | None
    # Money was reserved at some moment, also if it was given back before anybody heard of it.
    was_authorised: bool = False


class CaptureRefused(Exception):
    """The gateway will never pay this out."""


class PaymentImpossible(Exception):
    """The payment cannot be made (any more): its time is over, or it was called off."""


class _Payment(BaseModel):
    state: PaymentState
    redirect_url: str | None = None
    decline_reason: str | None = None
    was_authorised: bool = False


class PaymentsClient:
    """All calls are safe to repeat: the payment's id is ours. Raises `ProviderUnavailable` when the outcome is unknown."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def begin(
        self,
        payment_id: UUID,
        *,
        order_id: UUID,
        amount_minor: int,
        currency: str,
        description: str,
        return_url: str,
        pay_by: datetime,
    ) -> Payment:
        """Makes a payment; `redirect_url` is where the buyer pays it. Raises `PaymentImpossible`."""
        body = {
            "order_id": str(order_id),
            "amount_minor": amount_minor,
            "currency": currency,
            "description": description,
            "return_url": return_url,
            "pay_by": pay_by.isoformat(),
        }
        response = await self._http.put(f"/payments/{payment_id}", json=body, extensions={"route": PAYMENT})
        try:
            return _payment(expect(response, 200, 201, provider="payments"))
        except ProviderProblem as problem:
            if problem.problem_code in {"payment_refused", "payment_voided"}:
                raise PaymentImpossible from problem
            raise

    async def look_up(self, payment_id: UUID) -> Payment | None:
        """How the payment stands at the gateway right now. None if it was never made."""
        parameters = {"refresh": "true"}
        response = await self._http.get(f"/payments/{payment_id}", params=parameters, extensions={"route": PAYMENT})
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return _payment(expect(response, 200, provider="payments"))

    async def capture(self, payment_id: UUID) -> Payment:
        """Takes the money that was authorised. Raises `CaptureRefused` if that is refused for good."""
        response = await self._post(payment_id, "capture")
        try:
            return _payment(expect(response, 200, provider="payments"))
        except ProviderProblem as problem:
            if problem.problem_code == "capture_refused":
                raise CaptureRefused from problem
            raise

    async def void(self, payment_id: UUID) -> Payment:
        """Gives the money back, authorised or captured; a payment that never arrived can never be made after this."""
        return _payment(expect(await self._post(payment_id, "void"), 200, provider="payments"))

    async def _post(self, payment_id: UUID, what: str) -> httpx.Response:
        extensions = {"route": f"{PAYMENT}/{what}", "repeatable": True}
        return await self._http.post(f"/payments/{payment_id}/{what}", extensions=extensions)


def _payment(response: httpx.Response) -> Payment:
    payment = _Payment.model_validate_json(response.content)
    return Payment(payment.state, payment.redirect_url, payment.decline_reason, payment.was_authorised)
