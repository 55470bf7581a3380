"""What a ticket is, what its code says, and why a code is refused. Pure: no clock, no key, no database."""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

CODE_PREFIX = "OS1."
CODE_VERSION = 1
CODE_EPOCH_MAX = 0xFFFF
_CLAIMS = struct.Struct(">B4s16s16sH")  # version, key id, ticket id, event id, epoch
_SIGNATURE_BYTES = 64
_CODE_BYTES = _CLAIMS.size + _SIGNATURE_BYTES
_BODY_CHARACTERS = -(-_CODE_BYTES * 8 // 5)
CODE_CHARACTERS = len(CODE_PREFIX) + _BODY_CHARACTERS
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


class TicketsError(Exception):
    """Base of the errors that callers of this service see."""

    code: ClassVar[str]
    category: ClassVar[str]


class TicketsUnknown(TicketsError):
    """No tickets for this person under this order: none yet, or somebody else's; the two look alike on purpose."""

    code = "tickets_unknown"
    category = "not_found"

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        super().__init__("There are no tickets for this order yet. They appear a moment after the order is confirmed.")


class PrinterBusy(TicketsError):
    """More PDFs were asked for at once than this process makes in time."""

    code = "printer_busy"
    category = "unavailable"

    def __init__(self) -> None:
        super().__init__("Too many tickets are being printed right now. Try again in a few seconds.")


class CursorInvalid(TicketsError):
    """`after` was not made by this service."""

    code = "cursor_invalid"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__("`after` is not a page of this list. Leave it out to start from the first page.")


class TicketState(StrEnum):
    """A ticket lets one person in while it is valid."""

    VALID = "valid"
    VOID = "void"


class EventState(StrEnum):
    """How the event of a ticket stands."""

    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"
    MOVED_ONLINE = "moved_online"


class Change(StrEnum):
    """What of an event is not as it was."""

    STATE = "state"
    STARTS_AT = "starts_at"
    DOORS_AT = "doors_at"
    TITLE = "title"
    VENUE = "venue"
    CODES = "codes"


class Reason(StrEnum):
    """What a check of a code came to. Stable: gates and pages branch on it."""

    GENUINE = "genuine"
    VOID = "void"
    REPLACED = "replaced"
    UNKNOWN_TICKET = "unknown_ticket"
    NOT_A_TICKET = "not_a_ticket"
    WRONG_ALPHABET = "wrong_alphabet"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    FORGED = "forged"


SENTENCES: dict[Reason, str] = {
    Reason.GENUINE: "This ticket is genuine and valid.",
    Reason.VOID: "This ticket is genuine, but it was cancelled. It lets nobody in.",
    Reason.REPLACED: "This ticket is genuine, but a newer one was issued in its place. Ask for the newer one.",
    Reason.UNKNOWN_TICKET: "The code is signed by us, but there is no such ticket here. Ask the organiser.",
    Reason.NOT_A_TICKET: f"This is not a code of ours: those begin with {CODE_PREFIX}",
    Reason.WRONG_ALPHABET: "The code holds characters that no ticket code has. Scan it again.",
    Reason.TRUNCATED: "The code is not complete. Scan it again.",
    Reason.TOO_LONG: "The code is longer than a ticket code. Scan it again.",
    Reason.UNKNOWN_VERSION: "The code is of a version that this service does not know.",
    Reason.UNKNOWN_KEY: "The code is signed by a key that is not ours. It is forged.",
    Reason.FORGED: "The signature does not fit. The code is forged or was altered.",
}


def sentence_of(reason: Reason, ticket: "Ticket | None") -> str:
    """What a check of a code came to, in a sentence for whoever stands at the door."""
    if reason is Reason.GENUINE and ticket is not None:
        return _SENTENCES_OF_EVENTS.get(ticket.event_state, SENTENCES[reason])
    return SENTENCES[reason]


_SENTENCES_OF_EVENTS = {
    EventState.CANCELLED: "This ticket is genuine and valid, but its event is cancelled.",
    EventState.POSTPONED: "This ticket is genuine and valid, but its event is postponed; a new date is not known yet.",
}


class CodeRefused(Exception):
    """A code that is not genuine, and why."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(SENTENCES[reason])


@dataclass(frozen=True, slots=True)
class Claims:
    """What a code says. `epoch` grows when a ticket is issued anew, so that the code before it is refused online."""

    key_id: str
    ticket_id: UUID
    event_id: UUID
    epoch: int

    def signed_bytes(self) -> bytes:
        """The bytes that the signature covers: all of the claims, and nothing else."""
        return _CLAIMS.pack(
            CODE_VERSION, bytes.fromhex(self.key_id), self.ticket_id.bytes, self.event_id.bytes, self.epoch
        )


def key_id_of(public_key: bytes) -> str:
    """The short name of a raw Ed25519 public key: 8 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:8]


def format_code(claims: Claims, signature: bytes) -> str:
    """The code as it stands in the QR.

    Upper-case base 32 keeps the QR in its dense alphanumeric mode, and survives copying and reading aloud.
    """
    body = base64.b32encode(claims.signed_bytes() + signature).decode().rstrip("=")
    return CODE_PREFIX + body


def parse_code(code: str) -> tuple[Claims, bytes]:
    """Claims and signature of a code. Nothing of it is to be believed before the signature is checked.

    Strict: one code has one spelling, so that no two different texts are the same ticket. Raises CodeRefused.
    """
    if not code.startswith(CODE_PREFIX):
        raise CodeRefused(Reason.NOT_A_TICKET)
    body = code.removeprefix(CODE_PREFIX)
    if not _ALPHABET.issuperset(body):
        raise CodeRefused(Reason.WRONG_ALPHABET)
    if len(body) != _BODY_CHARACTERS:
        raise CodeRefused(Reason.TRUNCATED if len(body) < _BODY_CHARACTERS else Reason.TOO_LONG)
    try:
        raw = base64.b32decode(body + "=" * (-len(body) % 8))
    except binascii.Error as error:
        raise CodeRefused(Reason.WRONG_ALPHABET) from error
    if base64.b32encode(raw).decode().rstrip("=") != body:  # bits beyond the last byte: a second spelling
        raise CodeRefused(Reason.FORGED)
    version, key_id, ticket_id, event_id, epoch = _CLAIMS.unpack_from(raw)
    if version != CODE_VERSION:
        raise CodeRefused(Reason.UNKNOWN_VERSION)
    return Claims(key_id.hex(), UUID(bytes=ticket_id), UUID(bytes=event_id), epoch), raw[_CLAIMS.size :]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a confirmed order: `quantity` places of a class, or one seat."""

    line_id: UUID
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class Order:
    """A confirmed order, as far as its tickets need it."""

    order_id: UUID
    number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    venue_city: str
    starts_at: datetime
    time_zone: str
    currency: str
    lines: tuple[Line, ...]
    venue_street: str | None = None
    venue_country: str | None = None
    doors_at: datetime | None = None
    event_version: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """One place for one person, with all that is printed on it.

    What it says of the event is what catalog published last, unless what was bought is newer; `event_version` is that of what it says, 0 if
    that is not known.
    """

    ticket_id: UUID
    order_id: UUID
    order_number: str
    person_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    venue_city: str
    starts_at: datetime
    time_zone: str
    line_id: UUID
    ordinal: int
    class_id: UUID
    class_name: str
    seat_id: str | None
    seat_label: str | None
    currency: str
    unit_price_minor: int
    state: TicketState
    epoch: int
    issued_at: datetime
    venue_street: str | None = None
    venue_country: str | None = None
    doors_at: datetime | None = None
    event_state: EventState = EventState.SCHEDULED
    event_version: int = 0
    previous_starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """The person who holds tickets: their name, where it was given, and the language in whose way amounts are written for them."""

    name: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class EventChange:
    """What catalog published of an event that has changed. `version` grows with every change; `changes` names what did.

    Codes of an epoch before `code_edition` are refused: all its tickets have at least that one.
    """

    event_id: UUID
    version: int
    state: EventState
    changes: tuple[Change, ...]
    title: str
    starts_at: datetime
    doors_at: datetime | None
    time_zone: str
    venue_name: str
    venue_street: str | None
    venue_city: str
    venue_country: str | None
    previous_starts_at: datetime | None
    code_edition: int = 1


@dataclass(frozen=True, slots=True)
class Unnotified:
    """An event that has changed, and the last order whose holder was notified; None before the first."""

    change: EventChange
    notified_until: UUID | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """An order that holds tickets."""

    order_id: UUID
    order_number: str
    person_id: UUID


def places_of(order: Order) -> list[tuple[Line, int]]:
    """One (line, ordinal) per place; ordinals of a line count from 1."""
    return [(line, ordinal) for line in order.lines for ordinal in range(1, line.quantity + 1)]


def judge(claims: Claims, ticket: Ticket | None) -> Reason:
    """What a code whose signature fits is worth, given the ticket that it names."""
    if ticket is None or ticket.event_id != claims.event_id:
        return Reason.UNKNOWN_TICKET
    if ticket.state is TicketState.VOID:
        return Reason.VOID
    if ticket.epoch != claims.epoch:
        return Reason.REPLACED
    return Reason.GENUINE
