"""What tickets offers to other services, and to whoever lets people in."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.consistency import no_database, own_writes, primary_only
from chassis.languages import DEFAULT, Language
from chassis.models import Request, Response
from chassis.operations import EVERYBODY, Operation
from chassis.records import ChassisWhat, Entry, Records, records_operation
from services.tickets.domain import CursorInvalid, EventState, PrinterBusy, Reason, TicketState, TicketsUnknown

CODE_CHARACTERS_MAX = 1000
# As long as a name is at accounts.
NAME_CHARACTERS_MAX = 200


class TicketOut(Response):
    """A ticket, as its holder sees it."""

    ticket_id: UUID
    order_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    starts_at: datetime
    time_zone: str
    class_name: str
    seat_label: str | None
    state: TicketState
    code: str
    venue_street: str | None
    venue_city: str
    doors_at: datetime | None
    event_state: EventState
    event_version: int
    previous_starts_at: datetime | None


class TicketsOut(Response):
    """The tickets of an order."""

    items: list[TicketOut]


class TicketsPage(Response):
    """A page of tickets; `next` is the `after` of the following one, null on the last."""

    items: list[TicketOut]
    next: str | None


class HolderIn(Request):
    """For whom tickets are printed: their name, where they gave one, and in whose way amounts are written for them."""

    name: str | None = Field(default=None, max_length=NAME_CHARACTERS_MAX)
    language: Language = DEFAULT


class CodeIn(Request):
    """A code as it was scanned or typed; white space in it does not count."""

    code: str = Field(max_length=CODE_CHARACTERS_MAX)


class VerdictOut(Response):
    """Whether a code lets somebody in right now, and why not. Never who holds the ticket."""

    valid: bool
    reason: Reason
    message: str
    ticket_id: UUID | None
    event_title: str | None
    class_name: str | None
    seat_label: str | None
    event_state: EventState | None


class TicketKey(Response):
    """A public Ed25519 key (RFC 8037); `kid` is the key id within the code, in hexadecimal."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str
    x: str


class TicketKeys(Response):
    """A JWKS."""

    keys: list[TicketKey]


TicketsWhat = Literal["tickets_issued"]


class TicketsEntry(Entry):
    """What happened to the tickets of an order."""

    what: Literal[TicketsWhat, ChassisWhat]


class TicketsRecords(Records):
    """An order as tickets has recorded it."""

    entries: list[TicketsEntry]


GET_TICKETS_OF_ORDER = Operation(
    "GET",
    "/orders/{order_id}/tickets",
    callers=("web",),
    answers=TicketsOut,
    refuses=(TicketsUnknown,),
    reads=primary_only(
        "Who has just paid waits for them, and a worker prints them: there is no pin that would tell of it."
    ),
)
LIST_TICKETS = Operation(
    "GET",
    "/tickets",
    callers=("web",),
    answers=TicketsPage,
    refuses=(CursorInvalid,),
    reads=own_writes(
        30, "A list of what one has had for a while. A ticket of this minute is on the page of its order."
    ),
)
TICKETS_PDF = Operation(
    "GET",
    "/orders/{order_id}/tickets.pdf",
    callers=("web",),
    refuses=(TicketsUnknown, PrinterBusy),
    media_type="application/pdf",
    reads=primary_only(
        "What is printed is shown at the door: no ticket may be missing, or be one that was given back."
    ),
)
# In the body: a name stands in no address.
PRINT_FOR_HOLDER = Operation(
    "POST",
    "/orders/{order_id}/tickets.pdf",
    callers=("notifications",),
    refuses=(TicketsUnknown, PrinterBusy),
    repeatable=True,
    media_type="application/pdf",
)
VERIFY = Operation("POST", "/verify", callers=EVERYBODY, answers=VerdictOut, repeatable=True)
GET_KEYS = Operation(
    "GET",
    "/.well-known/ticket-keys.json",
    callers=EVERYBODY,
    answers=TicketKeys,
    reads=no_database("Keys come with the settings."),
)
GET_RECORDS = records_operation(TicketsRecords)
OPERATIONS = (GET_TICKETS_OF_ORDER, LIST_TICKETS, TICKETS_PDF, PRINT_FOR_HOLDER, VERIFY, GET_KEYS, GET_RECORDS)
