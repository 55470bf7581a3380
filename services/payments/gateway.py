"""The port to a gateway: what payments needs of whoever moves the money, in its own words."""

from dataclasses import dataclass
from typing import Protocol

from services.payments.domain import PaymentState, Terms


@dataclass(frozen=True)
class Seen:
    """A payment as the gateway shows it: the id that it gave it, how far it is, where the payer pays, and whether the payer
    has ever authorised it: a payment that was called off does not say it by its state."""

    gateway_payment_id: str
    state: PaymentState
    redirect_url: str
    decline_reason: str | None
    was_authorised: bool


class GatewayRefused(Exception):
    """The gateway says no, for good: nothing happened under this key, and nothing will."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"The gateway refused: {code}.")


class GatewaySilent(Exception):
    """No answer that can be relied on: what was asked may have happened. `problem` is a code for support."""

    def __init__(self, sentence: str = "The gateway does not answer.", *, problem: str = "no_answer") -> None:
        self.problem = problem
        super().__init__(sentence)


class Gateway(Protocol):
    """Each question raises GatewaySilent if the outcome is unknown; asking again with the same key never moves money twice."""

    async def open_session(self, key: str, terms: Terms) -> Seen:
        """Opens a page where the payer can authorise. Raises GatewayRefused."""

    def told(self, kind: str) -> PaymentState | None:
        """What a webhook of this kind says that a payment has come to; None if it does not say it."""

    async def look_up(self, gateway_payment_id: str) -> Seen:
        """How far the payment is."""

    async def capture(self, gateway_payment_id: str, key: str) -> Seen:
        """Takes the authorised money. Raises GatewayRefused."""

    async def void(self, gateway_payment_id: str, key: str) -> Seen:
        """Gives up an authorisation, or the session before it. Raises GatewayRefused."""

    async def refund(self, gateway_payment_id: str, key: str) -> Seen:
        """Gives captured money back. Raises GatewayRefused."""
