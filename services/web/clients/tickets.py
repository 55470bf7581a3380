"""tickets, as web sees it: issued tickets and their PDF."""

import asyncio
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.asking import Client, Read, Sent, Use
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.clients.records import GET_RECORDS, Records

# Tickets reads no longer one.
LONGEST_MARKER = 200
# A page that has more to say than tickets does not wait longer for them.
PATIENCE_SECONDS = 2.0

PdfFormat = Literal["a4", "phone"]


class Ticket(Read):
    """A ticket; `code` is what the gate reads."""

    ticket_id: UUID
    order_id: UUID
    event_id: UUID
    event_title: str
    venue_name: str
    starts_at: datetime
    time_zone: str
    class_name: str
    seat_label: str | None = None
    state: Literal["valid", "void"]
    code: str


class Tickets(Read):
    """The tickets of an order."""

    items: list[Ticket]


class TicketPage(Read):
    """Some tickets by start, and where the next ones begin."""

    items: list[Ticket]
    next: str | None


class _FileWanted(Sent):
    format: PdfFormat


class _TicketsWanted(Sent):
    after: str | None = Field(default=None, max_length=LONGEST_MARKER)
    limit: int = Field(ge=1, le=100)


_NOT_YET = {"tickets_unknown": None}
GET_TICKETS = Use("GET", "/orders/{order_id}/tickets", reads=Tickets, refusals=_NOT_YET, person=True)
GET_PDF = Use(
    "GET",
    f"{GET_TICKETS.path}.pdf",
    reads=bytes,
    media_type="application/pdf",
    query=_FileWanted,
    refusals=_NOT_YET,
    person=True,
)
LIST_TICKETS = Use(
    "GET", "/tickets", reads=TicketPage, query=_TicketsWanted, refusals={"cursor_invalid": None}, person=True
)


class TicketsClient(Client):
    """Asks tickets, always for one person; and for support."""

    provider = "tickets"
    uses = (GET_TICKETS, GET_PDF, LIST_TICKETS, GET_RECORDS)

    async def of_order(self, token: str, order_id: UUID) -> list[Ticket]:
        """The tickets of an order, [] while there are none yet."""
        try:
            return (await self.ask(GET_TICKETS, order_id=order_id, person=token)).items
        except ProviderProblem as problem:
            if problem.problem_code == "tickets_unknown":
                return []
            raise

    async def of_order_now(self, token: str, order_id: UUID) -> list[Ticket] | None:
        """The same for a page that does not wait long: None if nobody can be asked now."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.of_order(token, order_id)
        except (ProviderUnavailable, TimeoutError):
            return None

    async def pdf(self, token: str, order_id: UUID, pdf_format: PdfFormat) -> bytes:
        """The order's tickets to print (`a4`) or to carry (`phone`). Raises ProviderProblem while there are none."""
        return await self.ask(GET_PDF, query=_FileWanted(format=pdf_format), order_id=order_id, person=token)

    async def mine(self, token: str, after: str | None, limit: int) -> TicketPage:
        """This person's tickets, by start. Raises ProviderProblem if `after` is no place in the list."""
        return await self.ask(LIST_TICKETS, query=_TicketsWanted(after=after, limit=limit), person=token)

    async def records(self, order_id: UUID) -> Records:
        """What tickets has recorded of an order, for support; nothing of one that it does not know."""
        return await self.ask(GET_RECORDS, order_id=order_id)
