"""Makes the mail: a text, the same as HTML, and the tickets attached."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from chassis.clock import zone_of
from chassis.money import Money
from chassis.plain import unlinked
from services.notifications import mime
from services.notifications.domain import (
    HEADINGS,
    SUBJECTS,
    Contact,
    Delivery,
    NotDelivered,
    Template,
    file_of,
    is_address,
    news_of,
    why_cancelled,
)
from services.notifications.headers import address_line, text_line
from tracing.spans import trace_id_of

# Longer than any title that catalog takes, and any name that accounts takes.
SUBJECT_CHARACTERS_MAX = 1000
NAME_CHARACTERS_MAX = 200
# The link in a mail opens the order until so long after the event: people look at it once more.
PASS_AFTER_START = timedelta(days=2)
_ISOLATE, _POP = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of mails, and the address of the shop."""

    mail_from: str
    shop_url: str | None


@dataclass(frozen=True, slots=True)
class Mail:
    """A whole mail, as it goes over the wire, and between which mailboxes. It holds an address: never shown."""

    sender: str
    recipient: str
    data: bytes

    def __repr__(self) -> str:
        return "Mail(...)"


def compose(delivery: Delivery, contact: Contact, pdf: bytes | None, sender: Sender, now: datetime) -> Mail:
    """The whole message. Raises NotDelivered (permanent) if the contact's address cannot be written to."""
    content = _in_one_line(delivery.content)
    name = unlinked(one_line(contact.name or ""))
    from_name, from_address = parseaddr(sender.mail_from)
    recipient = mailbox_of(contact.email or "")
    subject = _cut(one_line(SUBJECTS[delivery.template].format(**content)), SUBJECT_CHARACTERS_MAX)
    lines = [
        address_line("From", from_name, mailbox_of(from_address)),
        address_line("To", _cut(name, NAME_CHARACTERS_MAX), recipient),
        text_line("Subject", subject),
        f"Message-ID: {delivery.message_id}\r\n".encode(),
        text_line("Date", format_datetime(now)),
        # Automatic answers (to somebody on holiday) must not come back to a machine (RFC 3834).
        text_line("Auto-Submitted", "auto-generated"),
        text_line("X-Auto-Response-Suppress", "All"),
        text_line("Content-Language", "en"),
    ]
    # Whoever asks about a mail can say which trace it belongs to.
    if (trace_id := trace_id_of(delivery.traceparent)) is not None:
        lines.append(text_line("Onsale-Trace", trace_id))
    body = _body(delivery, _page(delivery, name, content, sender, contact), pdf)
    return Mail(mailbox_of(from_address), recipient, b"".join([*lines, b"MIME-Version: 1.0\r\n", body]))


def _body(delivery: Delivery, page: dict[str, Any], pdf: bytes | None) -> bytes:
    file = file_of(delivery.template)
    words = mime.text("plain", _TEXTS.get_template(f"{file}.txt.j2").render(page))
    body = mime.several("alternative", [words, mime.text("html", _PAGES.get_template(f"{file}.html.j2").render(page))])
    if pdf is None:
        return body
    name = "".join(each for each in delivery.order_number if each.isascii() and (each.isalnum() or each == "-"))
    return mime.several("mixed", [body, mime.attachment("application/pdf", f"onsale-{name}.pdf", pdf)])


def one_line(value: str) -> str:
    """Without control characters and line breaks: what people typed cannot add headers or lines. Blanks stay as they are."""
    printable = "".join(" " if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} else each for each in value)
    return printable.strip(" ")


def _cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"


def _in_one_line(value: Any) -> Any:
    """The same, with every text in it made one line."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {name: _in_one_line(each) for name, each in value.items()}
    return [_in_one_line(each) for each in value] if isinstance(value, list) else value


def mailbox_of(address: str) -> str:
    """The address as it travels. Raises NotDelivered (permanent) if it cannot be written to."""
    if not is_address(address):
        reason = "the buyer's address cannot be written to" if address else "the buyer left no address"
        raise NotDelivered(reason, permanent=True)
    local, _, domain = address.rpartition("@")
    try:
        # Names of hosts in other scripts travel in their ASCII form; the part before the @ stays as it is.
        return f"{local}@{domain.encode('idna').decode()}"
    except ValueError:
        raise NotDelivered("the buyer's address cannot be written to", permanent=True) from None


def _order_url(delivery: Delivery, order_pass: str | None, sender: Sender) -> str | None:
    """Where the order is seen: by who has an account after signing in, by a guest with the pass in the link."""
    if sender.shop_url is None:
        return None
    order = f"{sender.shop_url.rstrip('/')}/orders/{delivery.order_id}"
    return f"{order}/open?key={quote(order_pass)}" if order_pass else order


def pass_until(delivery: Delivery) -> datetime | None:
    """Until when the link in a mail opens the order; None if it does not say when the event is."""
    starts_at = delivery.content.get("starts_at")
    return datetime.fromisoformat(starts_at) + PASS_AFTER_START if starts_at else None


def _page(delivery: Delivery, name: str, content: dict[str, Any], sender: Sender, contact: Contact) -> dict[str, Any]:
    page = content | {
        "name": name,
        "order_number": delivery.order_number,
        "order_url": _order_url(delivery, contact.order_pass, sender),
        "subject": SUBJECTS[delivery.template],
    }
    if delivery.template is Template.MONEY_RETURNED:
        return page | {"why": why_cancelled(content["reason"])}
    zone = content["time_zone"]
    page |= {
        "when": when(datetime.fromisoformat(content["starts_at"]), zone),
        "doors": _written(content.get("doors_at"), lambda moment: clock(moment, zone)),
        "was": _written(content.get("previous_starts_at"), lambda moment: when(moment, zone)),
        "address": ", ".join(part for part in (content.get("venue_street"), content.get("venue_city")) if part),
        "heading": HEADINGS.get(delivery.template),
        "news": news_of(delivery.template, content.get("changes", [])),
        "is_place_new": "venue" in content.get("changes", []),
    }
    if content.get("currency") and content.get("paid_minor") is not None:
        page["paid"] = Money(content["paid_minor"], content["currency"]).as_price(contact.language)
    return page


def _written(moment: str | None, write: Callable[[datetime], str]) -> str | None:
    return write(datetime.fromisoformat(moment)) if moment else None


def when(moment: datetime, time_zone: str) -> str:
    """`Thursday 31 December 2026, 20:00 CET`: by the clock of the place; in UTC if this machine does not know the zone."""
    local = moment.astimezone(zone_of(time_zone))
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {local.tzname()}"


def clock(moment: datetime, time_zone: str) -> str:
    """`20:00 CET`, by the clock of the place."""
    local = moment.astimezone(zone_of(time_zone))
    return f"{local:%H:%M} {local.tzname()}"


def _apart_in_text(value: str) -> str:
    """A name or title that is read from right to left does not turn the words around it."""
    is_turning = any(unicodedata.bidirectional(each) in {"R", "AL", "AN"} for each in value)
    return f"{_ISOLATE}{value}{_POP}" if is_turning else value


def _apart_in_page(value: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(value)


def _templates(apart: Callable[[str], str]) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # Titles and names come from people: in HTML they are text and never markup. The plain text has no markup to escape.
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["apart"] = apart
    return templates


_TEXTS = _templates(_apart_in_text)
_PAGES = _templates(_apart_in_page)
