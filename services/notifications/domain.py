"""What is delivered, when it is tried again, and when it is given up. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class Template(StrEnum):
    """Which mail; an order gets each at most once."""

    TICKETS = "tickets"
    MONEY_RETURNED = "money_returned"


class DeliveryState(StrEnum):
    """`waiting` includes a delivery that is being tried right now: then it is leased."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that is due, leased to this process. `attempt` counts from 1 and includes the present one."""

    delivery_id: UUID
    lease_id: UUID
    order_id: UUID
    order_number: str
    person_id: UUID
    template: Template
    content: dict[str, Any]
    message_id: str
    attempt: int
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where and under which name a person is written to. Never stored, logged or traced."""

    name: str | None
    email: str | None

    def __repr__(self) -> str:
        return "Contact(...)"


class NotDelivered(Exception):
    """A try that came to nothing. `reason` is for support, and holds no personal data.

    `permanent`: trying again would change nothing.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        self.reason = reason
        self.permanent = permanent
        super().__init__(reason)


# One mailbox and nothing else. Stricter than RFC 5321 allows (no quoted names), so that nothing in it can mean anything to a header.
_ADDRESS = re.compile(r"""[^\s@,:;<>()\[\]"\\\x00-\x1f\x7f]+@[^\s@,:;<>()\[\]"\\\x00-\x1f\x7f]+""")


def is_address(text: str) -> bool:
    """Whether a mail can be addressed to this text."""
    return _ADDRESS.fullmatch(text) is not None


def message_id_of(order_id: UUID, template: Template, domain: str) -> str:
    """The Message-ID of an order's mail: the same on every try, so that mail programs show a repeated one once."""
    return f"<{template.value}.{order_id}@{domain}>"


def next_delay_seconds(attempt: int, delays_seconds: Sequence[float]) -> float | None:
    """How long to wait after the failed try number `attempt` (from 1); None when it was the last."""
    return delays_seconds[attempt - 1] if attempt <= len(delays_seconds) else None


_WHY = {
    "expired": "The time to pay had run out before your payment reached us.",
    "places_gone": "By the time your payment reached us, the places were gone.",
    "buyer": "You cancelled the order.",
    "event_cancelled": "The event was cancelled before your order was complete.",
    "refused": "The payment could not be completed.",
    "payment_failed": "The payment could not be completed.",
}


def why_cancelled(reason: str) -> str:
    """Why an order was cancelled, as a sentence to its buyer."""
    return _WHY.get(reason, "The order could not be completed.")
