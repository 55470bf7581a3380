"""What is in a message: its headers, its text, its HTML with pictures, its attachments."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from simulators.mailbox.store import Caught


@dataclass(frozen=True)
class Attachment:
    """A file in a message; `n` counts from 1."""

    n: int
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """A caught message, taken apart."""

    id: int
    message_id: str
    received_at: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    headers: list[tuple[str, str]]
    text: str | None
    html: str | None
    attachments: list[Attachment]


def read(caught: Caught) -> Message:
    """Takes a message apart. Broken parts are shown as well as they can be; it never raises for a bad message."""
    parsed = message_from_bytes(caught.content, policy=policy.default)
    html = _body(parsed, "html")
    return Message(
        id=caught.id,
        message_id=str(parsed.get("Message-ID", "")).strip(),
        received_at=caught.received_at.isoformat().replace("+00:00", "Z"),
        sender=caught.sender,
        recipients=caught.recipients,
        subject=str(parsed.get("Subject", "")),
        headers=[(name, str(value)) for name, value in parsed.items()],
        text=_body(parsed, "plain"),
        html=None if html is None else _with_pictures(html, parsed),
        attachments=list(_attachments(parsed)),
    )


def _body(parsed: EmailMessage, kind: str) -> str | None:
    part = parsed.get_body(preferencelist=(kind,))
    if part is None:
        return None
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _attachments(parsed: EmailMessage) -> Iterator[Attachment]:
    files = [part for part in parsed.walk() if part.get_content_disposition() == "attachment" or part.get_filename()]
    for n, part in enumerate(files, start=1):
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else part.as_bytes()
        yield Attachment(n, part.get_filename() or f"attachment-{n}", part.get_content_type(), content)


def _with_pictures(html: str, parsed: EmailMessage) -> str:
    """The HTML with its `cid:` pictures put in, since a sandboxed page may fetch nothing."""
    pictures = {
        str(part["Content-ID"]).strip("<> "): part
        for part in parsed.walk()
        if part["Content-ID"] and part.get_content_maintype() == "image"
    }

    def picture(match: re.Match[str]) -> str:
        part = pictures.get(match[1])
        payload = part.get_payload(decode=True) if part is not None else None
        if part is None or not isinstance(payload, bytes):
            return match[0]
        return f"data:{part.get_content_type()};base64,{base64.b64encode(payload).decode()}"

    return re.sub(r"cid:([^\"'\s>)]+)", picture, html)
