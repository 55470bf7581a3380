"""The bank as a gateway: HTTP with an API key. A stranger: it gets no tokens and no traces of ours."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from chassis.calls import Answered, Calls
from chassis.http import IDEMPOTENCY_KEY_HEADER, ProviderUnavailable
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
SUCCESSES = range(200, 300)
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


class Took(Protocol):
    """Hears how long the bank took."""

    def __call__(self, seconds: float, *, answered: bool) -> None:
        """A question was answered after so many seconds, or was not."""


class BankGateway:
    """Implements `Gateway` with the bank's API. `took` is told how many seconds each question took, and whether it was answered."""

    def __init__(self, http: Calls, api_key: str, took: Took | None = None) -> None:
        self._http = http
        self._took = took
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
        # What is asked of the bank, as it is asked: a trace shows it beside the order's total.
        shown = {"onsale.amount_minor": terms.amount_minor, "onsale.currency": terms.currency}
        described = {"route": "/v1/payments/{key}", "attributes": shown}
        return await self._ask("PUT", f"/v1/payments/{key}", described, _OPENING_REFUSED, json=body)

    def told(self, kind: str) -> PaymentState | None:
        """Its webhooks are called `payment.` and the status."""
        return _STATES.get(kind.removeprefix("payment."))

    async def look_up(self, gateway_payment_id: str) -> Seen:
        """How far the payment is at the bank."""
        return await self._ask("GET", f"/v1/payments/{gateway_payment_id}", {"route": "/v1/payments/{id}"}, frozenset())

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
        path, described = f"/v1/payments/{gateway_payment_id}/{kind}", {"route": f"/v1/payments/{{id}}/{kind}"}
        return await self._ask("POST", path, described, _OPERATION_REFUSED, key=key)

    async def _ask(self, *asked: Any, **more: Any) -> Seen:
        """As `_answer`. What cannot be relied on is no answer, and a refusal is one."""
        began, answered = perf_counter(), True
        try:
            return await self._answer(*asked, **more)
        except GatewaySilent:
            answered = False
            raise
        finally:
            if self._took is not None:
                self._took(perf_counter() - began, answered=answered)

    async def _answer(
        self,
        method: str,
        path: str,
        described: Mapping[str, Any],
        refusals: frozenset[str],
        *,
        json: Any = None,
        key: str | None = None,
    ) -> Seen:
        headers = self._headers if key is None else {**self._headers, IDEMPOTENCY_KEY_HEADER: key}
        try:
            response = await self._http.request(method, path, json=json, headers=headers, extensions=described)
        except ProviderUnavailable as error:
            raise GatewaySilent from error
        if response.status_code in SUCCESSES:
            return _read(response)
        code = _code_of(response)
        # Only what the bank says about this payment is a refusal. A wrong API key or a page of a proxy is not.
        if code in refusals:
            raise GatewayRefused(code)
        raise GatewaySilent(
            f"The bank answered {response.status_code} {code}.", problem=f"answered_{response.status_code}"
        )


def _read(response: Answered) -> Seen:
    try:
        payment = _Payment.model_validate_json(response.content)
        state = _STATES[payment.status]
    except (ValidationError, KeyError) as error:
        raise GatewaySilent("The bank's answer cannot be read.", problem="unreadable") from error
    was_authorised = bool(payment.authorised_minor) or state in AUTHORISED
    return Seen(payment.id, state, payment.redirect_url, payment.decline_reason, was_authorised)


def _code_of(response: Answered) -> str:
    try:
        error = response.json()["error"]
        return str(error["code"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"
