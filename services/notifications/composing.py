"""Makes the mail: a text, the same as HTML, and the tickets attached."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifications.domain import Contact, Delivery, NotDelivered, Template, is_address, why_cancelled
from tracing.spans import trace_id_of

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    # Titles and names come from people: in HTML they are text and never markup. The plain text has no markup to escape.
    autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SUBJECTS = {
    Template.TICKETS: "Your tickets for {event_title}",
    Template.MONEY_RETURNED: "Your money was given back: {event_title}",
}
HEADER_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, and where the shop is."""

    mail_from: str
    shop_url: str | None


def compose(delivery: Delivery, contact: Contact, pdf: bytes | None, sender: Sender, now: datetime) -> EmailMessage:
    """The whole message. Raises NotDelivered (permanent) if the contact's address cannot be written to."""
    content = _in_one_line(delivery.content)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(*parseaddr(sender.mail_from))
    message["To"] = _address(contact.name or "", contact.email or "")
    message["Subject"] = one_line(_SUBJECTS[delivery.template].format(**content))[:HEADER_CHARACTERS_MAX]
    message["Message-ID"] = delivery.message_id
    message["Date"] = format_datetime(now)
    # Whoever asks about a mail can say which trace it belongs to.
    if (trace_id := trace_id_of(delivery.traceparent)) is not None:
        message["Onsale-Trace"] = trace_id
    # Nobody's holiday answer should come back to a machine (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    page = _page(delivery, contact, content, sender)
    message.set_content(_TEMPLATES.get_template(f"{delivery.template.value}.txt.j2").render(page))
    message.add_alternative(_TEMPLATES.get_template(f"{delivery.template.value}.html.j2").render(page), subtype="html")
    if pdf is not None:
        name = "".join(each for each in delivery.order_number if each.isascii() and (each.isalnum() or each == "-"))
        message.add_attachment(pdf, maintype="application", subtype="pdf", filename=f"onsale-{name}.pdf")
    return message


def one_line(value: str) -> str:
    """Without control characters and line breaks: what people typed cannot add headers or lines."""
    printable = "".join(" " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each for each in value)
    return " ".join(printable.split())


def _in_one_line(value: Any) -> Any:
    """The same, with every text in it made one line."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {name: _in_one_line(each) for name, each in value.items()}
    return [_in_one_line(each) for each in value] if isinstance(value, list) else value


def _address(name: str, email: str) -> Address:
    if not is_address(email):
        reason = "the buyer's address cannot be written to" if email else "the buyer left no address"
        raise NotDelivered(reason, permanent=True)
    local, _, domain = email.rpartition("@")
    try:
        # Names of hosts in other scripts travel in their ASCII form; the part before the @ stays as it is.
        return Address(one_line(name)[:HEADER_CHARACTERS_MAX], local, domain.encode("idna").decode())
    except ValueError:
        raise NotDelivered("the buyer's address cannot be written to", permanent=True) from None


def _page(delivery: Delivery, contact: Contact, content: dict[str, Any], sender: Sender) -> dict[str, Any]:
    page = content | {
        "name": one_line(contact.name or ""),
        "order_number": delivery.order_number,
        "order_url": f"{sender.shop_url.rstrip('/')}/orders/{delivery.order_id}" if sender.shop_url else None,
    }
    if delivery.template is Template.TICKETS:
        page["when"] = when(datetime.fromisoformat(content["starts_at"]), content["time_zone"])
    else:
        page["why"] = why_cancelled(content["reason"])
    return page


def when(moment: datetime, time_zone: str) -> str:
    """`Thursday 31 December 2026, 20:00 CET`: by the clock of the place; in UTC if this machine does not know the zone."""
    try:
        local = moment.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = moment.astimezone(UTC)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {local.tzname()}"
