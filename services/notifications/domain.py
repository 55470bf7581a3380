"""What is delivered, when it is tried again, and when it is given up. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Template(StrEnum):
    """Which mail; an order gets each at most once, and those about its event once for each version of that."""

    TICKETS = "tickets"
    MONEY_RETURNED = "money_returned"
    NEW_DATE = "new_date"
    NEW_PLACE = "new_place"
    EVENT_CHANGED = "event_changed"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    MOVED_ONLINE = "moved_online"


_WITH_TICKETS = frozenset({Template.TICKETS, Template.NEW_DATE, Template.NEW_PLACE, Template.EVENT_CHANGED})
SUBJECTS: dict[Template, str] = {
    Template.TICKETS: "Your tickets for {event_title}",
    Template.MONEY_RETURNED: "Your money was given back: {event_title}",
    Template.NEW_DATE: "New date: {event_title}",
    Template.NEW_PLACE: "New place: {event_title}",
    Template.EVENT_CHANGED: "Changed: {event_title}",
    Template.CANCELLED: "Cancelled: {event_title}",
    Template.POSTPONED: "Postponed: {event_title}",
    Template.MOVED_ONLINE: "Online instead: {event_title}",
}
HEADINGS: dict[Template, str] = {
    Template.NEW_DATE: "A new date",
    Template.NEW_PLACE: "A new place",
    Template.EVENT_CHANGED: "Something has changed",
    Template.CANCELLED: "Cancelled",
    Template.POSTPONED: "Postponed",
    Template.MOVED_ONLINE: "Online instead",
}
_STAY = "Your tickets stay valid, with the same codes; the PDF with what is new is attached."
_NEW_CODES = (
    "Your tickets have new codes: the PDF with them is attached, and the earlier codes are refused at the door."
)
NEWS: dict[Template, str] = {
    Template.NEW_DATE: f"The event takes place on another date. {_STAY}",
    Template.NEW_PLACE: f"The event takes place somewhere else. {_STAY}",
    Template.EVENT_CHANGED: f"Below is how the event stands now. {_STAY}",
    Template.CANCELLED: "The event does not take place. Please do not go there. How you get your money back is for the organiser to say.",
    Template.POSTPONED: "The event does not take place on this date, and a new one is not known yet. "
    "Keep your tickets: they stay valid, and we write to you when there is a date.",
    Template.MOVED_ONLINE: "The event takes place online, and not at this place. The organiser will tell you how to take part.",
}


def news_of(template: Template, changes: Sequence[str]) -> str | None:
    """What a mail about an event says of it; None of other mails."""
    news = NEWS.get(template)
    if news is None or not _has_new_codes(template, changes):
        return news
    return news.replace(_STAY, _NEW_CODES) if _STAY in news else f"{news} {_NEW_CODES}"


def carries_tickets(template: Template, changes: Sequence[str]) -> bool:
    """Whether the tickets are attached: what stands on them is new."""
    return template in _WITH_TICKETS or _has_new_codes(template, changes)


def _has_new_codes(template: Template, changes: Sequence[str]) -> bool:
    return "codes" in changes and template is not Template.CANCELLED


def kind_of_change(state: str, changes: Sequence[str]) -> Template:
    """Which mail tells of an event that is not as it was."""
    match state:
        case "cancelled":
            return Template.CANCELLED
        case "postponed":
            return Template.POSTPONED
        case "moved_online":
            return Template.MOVED_ONLINE
    if "starts_at" in changes:
        return Template.NEW_DATE
    return Template.NEW_PLACE if "venue" in changes else Template.EVENT_CHANGED


def file_of(template: Template) -> str:
    """The name of the files that it is written with."""
    return "event" if template in HEADINGS else template.value


class DeliveryState(StrEnum):
    """`waiting` includes a delivery that is being tried right now: then it is leased.

    News of an event wait under a word of their own: a version from before there were news can run beside this one, or come back,
    leases what is `waiting`, and could not read their names.
    """

    WAITING = "waiting"
    WAITING_NEWS = "waiting_news"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that is due, leased to this process under a fence. `attempt` counts from 1 and includes the present one."""

    delivery_id: UUID
    fence: int
    order_id: UUID
    order_number: str
    person_id: UUID
    template: Template
    content: dict[str, Any]
    message_id: str
    attempt: int
    traceparent: str | None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Where and under which name a person is written to. Never stored, logged or traced.

    `order_pass` opens the order of the mail on another device, for guests. `language`: in whose way amounts are written.
    """

    name: str | None
    email: str | None
    order_pass: str | None = None
    language: str = "en"

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


class NotNow(Exception):
    """Enough mails went to this address lately; another may go then."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__("many mails went to this address lately")


# One mailbox and nothing else. Stricter than RFC 5321 allows (no quoted names), so that nothing in it can mean anything to a header.
_ADDRESS = re.compile(r"""[^\s@,:;<>()\[\]"\\\x00-\x1f\x7f]+@[^\s@,:;<>()\[\]"\\\x00-\x1f\x7f]+""")


def is_address(text: str) -> bool:
    """Whether a mail can be addressed to this text."""
    return _ADDRESS.fullmatch(text) is not None


def message_id_of(order_id: UUID, template: Template, domain: str, edition: int | None = None) -> str:
    """The Message-ID of an order's mail: the same on every try, so that mail programs show a repeated one once."""
    about = template.value if edition is None else f"{template.value}.{edition}"
    return f"<{about}.{order_id}@{domain}>"


def name_of(template: Template, edition: int | None) -> str:
    """How a row calls the mail: `tickets`, `new_date/7`. An order has each name at most once."""
    return template.value if edition is None else f"{template.value}/{edition}"


def read_name(name: str) -> tuple[Template, int | None]:
    """The template and the edition of a row's name."""
    template, _, edition = name.partition("/")
    return Template(template), int(edition) if edition else None


def waiting_state(edition: int | None) -> DeliveryState:
    """How a mail waits, by whether its name has an edition."""
    return DeliveryState.WAITING if edition is None else DeliveryState.WAITING_NEWS


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
