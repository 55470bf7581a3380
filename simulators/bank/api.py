"""The bank's API for merchants: open a payment, look it up, capture, void, refund, read the ledger."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl

from chassis.money import MOST_MINOR
from simulators.bank import domain
from simulators.bank.cards import Behaviour
from simulators.bank.domain import BankError, Operation
from simulators.bank.ledger import Ledger, Opening, Payment
from simulators.bank.settings import BankSettings
from simulators.bank.transport import drop_connection

Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_.:\-]+$")]


class OpeningIn(BaseModel):
    """The request of `PUT /v1/payments/{key}`."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: int = Field(gt=0, le=MOST_MINOR, strict=True)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = Field(min_length=1, max_length=200)
    reference: str = Field(min_length=1, max_length=100)
    return_url: HttpUrl
    expires_at: AwareDatetime


class PaymentOut(BaseModel):
    """A payment as merchants see it."""

    id: str
    key: str
    status: str
    amount_minor: int
    currency: str
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    decline_reason: str | None
    expires_at: AwareDatetime
    redirect_url: str


class Operations:
    """Captures, voids and refunds, with the faults of the test cards."""

    def __init__(self, settings: BankSettings, ledger: Ledger, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._wake = wake

    async def perform(self, request: Request, payment_id: str, operation: Operation, key: str) -> Payment:
        """Does an operation once per key. Raises BankError; may cut the connection, if the card says so."""
        repeated = self._ledger.replay(payment_id, operation, key)
        if repeated is not None:
            return repeated
        payment = self._ledger.payment(payment_id)
        if operation is Operation.CAPTURE:
            await self._trouble_before(payment)
        done = self._ledger.operate(payment_id, operation, key)
        self._wake()
        if operation is Operation.CAPTURE and payment.behaviour is Behaviour.CAPTURE_DROPPED:
            drop_connection(request)
        return done

    async def _trouble_before(self, payment: Payment) -> None:
        domain.next_status(Operation.CAPTURE, payment.status)
        failures = self._settings.capture_failures
        if payment.behaviour is Behaviour.CAPTURE_500 and payment.capture_failures < failures:
            self._ledger.count_capture_failure(payment.id)
            raise BankError(500, "internal", "The bank failed. Nothing was booked.")
        if payment.behaviour is Behaviour.SLOW:
            await asyncio.sleep(self._settings.slow_seconds)


def make_router(settings: BankSettings, ledger: Ledger, wake: Callable[[], None]) -> APIRouter:
    """The routes under /v1; all want the API key as a bearer token."""
    expected = f"Bearer {settings.api_key.get_secret_value()}".encode()

    async def merchant(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), expected):
            raise BankError(401, "unauthenticated", "Send the API key as `Authorization: Bearer <key>`.")
        if settings.answer_seconds:
            await asyncio.sleep(settings.answer_seconds)

    operations = Operations(settings, ledger, wake)
    router = APIRouter(prefix="/v1", dependencies=[Depends(merchant)])

    def shown(payment: Payment) -> PaymentOut:
        fields = {name: getattr(payment, name) for name in PaymentOut.model_fields if name != "redirect_url"}
        return PaymentOut(**fields, redirect_url=f"{settings.public_url.rstrip('/')}/pay/{payment.id}")

    @router.put("/payments/{key}", status_code=201)
    async def open_payment(key: Annotated[Key, Path()], body: OpeningIn, response: Response) -> PaymentOut:
        opening = Opening(**body.model_dump(exclude={"return_url"}), return_url=str(body.return_url))
        payment, is_new = ledger.open_payment(key, opening)
        response.status_code = 201 if is_new else 200
        return shown(payment)

    @router.get("/payments/{payment_id}")
    async def look_up(payment_id: str) -> PaymentOut:
        return shown(ledger.payment(payment_id))

    @router.post("/payments/{payment_id}/{operation}")
    async def operate(
        payment_id: str,
        operation: Operation,
        request: Request,
        key: Annotated[Key, Header(alias="Idempotency-Key")],
    ) -> PaymentOut:
        return shown(await operations.perform(request, payment_id, operation, key))

    @router.get("/ledger")
    async def read_ledger(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 500
    ) -> dict[str, Any]:
        items = ledger.entries(after, limit)
        return {"items": items, "next": items[-1]["entry_id"] if len(items) == limit else None}

    return router


def error_response(error: BankError) -> JSONResponse:
    """The bank's shape of an error."""
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, error.status)
