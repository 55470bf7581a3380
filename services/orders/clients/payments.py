"""Payments, as orders sees them."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, HttpUrl

from chassis.asking import Client, Read, Sent, Use
from chassis.http import ProviderProblem
from chassis.money import MOST_MINOR


class PaymentState(StrEnum):
    """A payment's life, as payments tells it."""

    CREATED = "created"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDED = "refunded"


class CaptureRefused(Exception):
    """The gateway will never pay this out."""


class PaymentImpossible(Exception):
    """The payment cannot be made (any more): its time is over, or it was called off."""


class _PaymentWanted(Sent):
    order_id: UUID
    amount_minor: int = Field(gt=0, le=MOST_MINOR)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    description: str = Field(min_length=1, max_length=200)
    return_url: HttpUrl
    pay_by: AwareDatetime


class _Look(Sent):
    refresh: bool


class _Opened(Read):
    redirect_url: str


class Payment(Read):
    """How a payment stands."""

    state: PaymentState
    decline_reason: str | None


# After these two answers there is no way back: one that does not say what has become of the money is none.
class _Captured(Read):
    state: Literal[PaymentState.CAPTURED]


class _GivenBack(Read):
    state: Literal[PaymentState.VOIDED, PaymentState.REFUNDED]
    was_authorised: bool


BEGIN = Use(
    "PUT",
    "/payments/{payment_id}",
    reads=_Opened,
    statuses=(200, 201),
    sends=_PaymentWanted,
    refusals={"payment_refused": None, "payment_voided": None, "payment_differs": None},
)
LOOK_UP = Use("GET", BEGIN.path, reads=Payment, query=_Look, refusals={"payment_unknown": None})
CAPTURE = Use(
    "POST",
    f"{BEGIN.path}/capture",
    reads=_Captured,
    refusals={"capture_refused": None, "payment_unknown": None},
    repeatable=True,
)
VOID = Use("POST", f"{BEGIN.path}/void", reads=_GivenBack, repeatable=True)


class PaymentsClient(Client):
    """All calls are safe to repeat: the payment's id is ours. Raises `ProviderUnavailable` when the outcome is unknown."""

    provider = "payments"
    uses = (BEGIN, LOOK_UP, CAPTURE, VOID)

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
    ) -> str:
        """Makes a payment; the address where the buyer pays it. Raises `PaymentImpossible`."""
        body = _PaymentWanted(
            order_id=order_id,
            amount_minor=amount_minor,
            currency=currency,
            description=description,
            return_url=HttpUrl(return_url),
            pay_by=pay_by,
        )
        try:
            opened = await self.ask(BEGIN, body=body, payment_id=payment_id)
        except ProviderProblem as problem:
            if problem.problem_code in {"payment_refused", "payment_voided"}:
                raise PaymentImpossible from problem
            raise
        return opened.redirect_url

    async def look_up(self, payment_id: UUID) -> Payment | None:
        """How the payment stands at the gateway right now. None if it was never made."""
        try:
            return await self.ask(LOOK_UP, query=_Look(refresh=True), payment_id=payment_id)
        except ProviderProblem as problem:
            if problem.problem_code == "payment_unknown":
                return None
            raise

    async def capture(self, payment_id: UUID) -> None:
        """Takes the money that was authorised. Raises `CaptureRefused` if that is refused for good."""
        try:
            await self.ask(CAPTURE, payment_id=payment_id)
        except ProviderProblem as problem:
            if problem.problem_code == "capture_refused":
                raise CaptureRefused from problem
            raise

    async def void(self, payment_id: UUID) -> bool:
        """Gives the money back, authorised or captured; a payment that never arrived can never be made after this.

        Whether there was any: its payer had authorised it at some moment, also if nobody has heard of it.
        """
        return (await self.ask(VOID, payment_id=payment_id)).was_authorised
