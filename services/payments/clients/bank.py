"""The bank as a gateway: HTTP with an API key. A stranger: it gets no tokens and no traces of ours."""

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.http import ProviderUnavailable
from services.payments.domain import AUTHORISED, OperationKind, PaymentState, Terms
from services.payments.gateway import GatewayRefused, GatewaySilent, Seen

# How the bank's statuses are called here. Another one is no answer: nothing is guessed.
_STATES = {
    "requires_payer": PaymentState.CREATED,
    "authorised": PaymentState.AUTHORISED,
    "captured": PaymentState.CAPTURED,
    "declined": PaymentState.DECLINED,
    "voided": PaymentState.VOIDED,
    "refunded": PaymentState.REFUNDED,
}
_OPENING_REFUSED = frozenset({"payment_differs", "expired", "invalid"})
_OPERATION_REFUSED = frozenset({"capture_refused", "capture_not_possible", "void_not_possible", "refund_not_possible"})


class _Payment(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    status: str
    redirect_url: str
    decline_reason: str | None = None
    # How much the payer has ever authorised.
    authorised_minor: int | None = None


class BankGateway:
    """Implements `Gateway` with the bank's API."""

    def __init__(self, http: httpx.AsyncClient, api_key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {api_key}"}

    async def open_session(self, key: str, terms: Terms) -> Seen:
        """Opens a payment at the bank, or finds the one of this key."""
        body = {
            "amount_minor": terms.amount_minor,
            "currency": terms.currency,
            "description": terms.description,
            "reference": str(terms.order_id),
            "return_url": terms.return_url,
            "expires_at": terms.pay_by.isoformat(),
        }
        request = self._http.build_request(
            "PUT",
            f"/v1/payments/{key}",
            json=body,
            headers=self._headers,
            extensions={
                "route": "/v1/payments/{key}",
                # What is asked of the bank, as it is asked: a trace shows it beside the order's total.
                "attributes": {"onsale.amount_minor": body["amount_minor"], "onsale.currency": body["currency"]},
            },
        )
        return await self._ask(request, _OPENING_REFUSED)

    def told(self, kind: str) -> PaymentState | None:
        """Its webhooks are called `payment.` and the status."""
        return _STATES.get(kind.removeprefix("payment."))

    async def look_up(self, gateway_payment_id: str) -> Seen:
        """How far the payment is at the bank."""
        request = self._http.build_request(
            "GET",
            f"/v1/payments/{gateway_payment_id}",
            headers=self._headers,
            extensions={"route": "/v1/payments/{id}"},
        )
        return await self._ask(request, frozenset())

    async def capture(self, gateway_payment_id: str, key: str) -> Seen:
        """Takes the authorised money."""
        return await self._operate(OperationKind.CAPTURE, gateway_payment_id, key)

    async def void(self, gateway_payment_id: str, key: str) -> Seen:
        """Gives up the authorisation."""
        return await self._operate(OperationKind.VOID, gateway_payment_id, key)

    async def refund(self, gateway_payment_id: str, key: str) -> Seen:
        """Gives the money back."""
        return await self._operate(OperationKind.REFUND, gateway_payment_id, key)

    async def _operate(self, kind: OperationKind, gateway_payment_id: str, key: str) -> Seen:
        request = self._http.build_request(
            "POST",
            f"/v1/payments/{gateway_payment_id}/{kind}",
            headers={**self._headers, "Idempotency-Key": key},
            extensions={"route": f"/v1/payments/{{id}}/{kind}"},
        )
        return await self._ask(request, _OPERATION_REFUSED)

    async def _ask(self, request: httpx.Request, refusals: frozenset[str]) -> Seen:
        try:
            response = await self._http.send(request)
        except ProviderUnavailable as error:
            raise GatewaySilent from error
        if response.is_success:
            return _read(response)
        code = _code_of(response)
        # Only what the bank says about this payment is a refusal. A wrong API key or a page of a proxy is not.
        if code in refusals:
            raise GatewayRefused(code)
        raise GatewaySilent(
            f"The bank answered {response.status_code} {code}.", problem=f"answered_{response.status_code}"
        )


def _read(response: httpx.Response) -> Seen:
    try:
        payment = _Payment.model_validate_json(response.content)
        state = _STATES[payment.status]
    except (ValidationError, KeyError) as error:
        raise GatewaySilent("The bank's answer cannot be read.", problem="unreadable") from error
    was_authorised = bool(payment.authorised_minor) or state in AUTHORISED
    return Seen(payment.id, state, payment.redirect_url, payment.decline_reason, was_authorised)


def _code_of(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error["code"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"
