"""What can be done with tickets; one transaction each."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.ids import uuid7
from chassis.plain import unlinked
from services.tickets import queries
from services.tickets.clients.accounts import AccountsClient
from services.tickets.domain import (
    CodeRefused,
    Holder,
    Line,
    Order,
    Reason,
    Ticket,
    TicketState,
    TicketsUnknown,
    judge,
    places_of,
)
from services.tickets.events import IssuedTicket, TicketsIssued
from services.tickets.printer import Printer
from services.tickets.printing import Format, Printed
from services.tickets.signing import Keyring
from tracing.spans import note, span


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of a code came to; the ticket only if the code is signed by us."""

    reason: Reason
    ticket: Ticket | None


class Tickets:
    """The use cases of this service."""

    def __init__(self, database: Database, keyring: Keyring, printer: Printer, accounts: AccountsClient) -> None:
        self._database = database
        self._keyring = keyring
        self._printer = printer
        self._accounts = accounts

    async def issue(self, tx: Transaction, order: Order) -> None:
        """Issues one ticket per place and tells so, in the transaction of the fact that it answers.

        An order that has its tickets already keeps them, even if it comes as another fact than before: whoever tells it again did not
        hear the answer, and gets it again.
        """
        with span("tickets.issue_tickets", _attributes(order)):
            await self._issue(tx, order)

    async def _issue(self, tx: Transaction, order: Order) -> None:
        # Without this lock, a change that is kept meanwhile would be missed here and by the notification of holders.
        await queries.hold_event_still(tx, order.event_id)
        issued_at = utc_now()
        tickets = [_ticket(order, line, ordinal, issued_at) for line, ordinal in places_of(order)]
        issued = await queries.insert_tickets(tx, tickets)
        if not issued:
            note({"onsale.duplicate": True})
        if len(issued) < len(tickets):
            issued = await queries.tickets_of_order(tx, order.order_id)
        await tx.publish(_issued(issued))

    async def of_order(self, order_id: UUID, person_id: UUID | None) -> list[Ticket]:
        """The tickets of an order; with a person, only if they are that person's. Raises TicketsUnknown."""
        async with self._database.reader() as reads:
            tickets = await queries.tickets_of_order(reads, order_id)
        if not tickets or (person_id is not None and tickets[0].person_id != person_id):
            raise TicketsUnknown(order_id)
        return tickets

    async def of_person(self, person_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Ticket]:
        """A page of a person's tickets, by start."""
        async with self._database.reader() as reads:
            return await queries.tickets_of_person(reads, person_id, after=after, limit=limit)

    async def verify(self, code: str) -> Verdict:
        """Whether a code is genuine, and its ticket still valid. Checks only: it lets nobody in."""
        try:
            claims = self._keyring.verify(code)
        except CodeRefused as refused:
            return Verdict(refused.reason, None)
        async with self._database.reader() as reads:
            ticket = await queries.ticket_by_id(reads, claims.ticket_id)
        reason = judge(claims, ticket)
        return Verdict(reason, None if reason is Reason.UNKNOWN_TICKET else ticket)

    async def pdf(self, tickets: list[Ticket], page: Format) -> bytes:
        """These tickets of one person, a page each, with the holder's name if it can be had. Raises PrinterBusy."""
        return await self.pdf_for(await self._accounts.holder(tickets[0].person_id), tickets, page)

    async def pdf_for(self, holder: Holder, tickets: list[Ticket], page: Format) -> bytes:
        """The same for a holder who is known already."""
        # What somebody typed as their name is no link in the mail that the PDF is attached to.
        name = unlinked(holder.name) if holder.name else None
        printed = [
            Printed(ticket, self.code_of(ticket), number, len(tickets), name, holder.language)
            for number, ticket in enumerate(tickets, 1)
        ]
        return await self._printer.print(printed, page)

    def code_of(self, ticket: Ticket) -> str:
        """The code that stands in the ticket's QR."""
        return self._keyring.code_of(ticket)

    def public_keys(self) -> dict[str, list[dict[str, str]]]:
        """The keys that verify codes (JWKS)."""
        return self._keyring.public_keys()


def _attributes(order: Order) -> dict[str, str | int]:
    """Which order this is, for spans."""
    return {
        "onsale.order_id": str(order.order_id),
        "onsale.order_number": order.number,
        "onsale.event_id": str(order.event_id),
        "onsale.places": sum(line.quantity for line in order.lines),
    }


def _issued(tickets: list[Ticket]) -> TicketsIssued:
    """What is published of an order's tickets: as they are read, so that an event that has moved meanwhile is described as it is."""
    first = tickets[0]
    return TicketsIssued(
        order_id=first.order_id,
        order_number=first.order_number,
        person_id=first.person_id,
        event_id=first.event_id,
        event_title=first.event_title,
        venue_name=first.venue_name,
        starts_at=first.starts_at,
        time_zone=first.time_zone,
        tickets=[
            IssuedTicket(ticket_id=each.ticket_id, class_name=each.class_name, seat_label=each.seat_label)
            for each in tickets
        ],
        doors_at=first.doors_at,
        venue_street=first.venue_street,
        venue_city=first.venue_city,
        currency=first.currency,
        paid_minor=sum(each.unit_price_minor for each in tickets),
    )


def _ticket(order: Order, line: Line, ordinal: int, issued_at: datetime) -> Ticket:
    return Ticket(
        ticket_id=uuid7(),
        order_id=order.order_id,
        order_number=order.number,
        person_id=order.person_id,
        event_id=order.event_id,
        event_title=order.event_title,
        venue_name=order.venue_name,
        venue_city=order.venue_city,
        starts_at=order.starts_at,
        time_zone=order.time_zone,
        line_id=line.line_id,
        ordinal=ordinal,
        class_id=line.class_id,
        class_name=line.class_name,
        seat_id=line.seat_id,
        seat_label=line.seat_label,
        currency=order.currency,
        unit_price_minor=line.unit_price_minor,
        state=TicketState.VALID,
        epoch=1,
        issued_at=issued_at,
        venue_street=order.venue_street or None,
        venue_country=order.venue_country or None,
        doors_at=order.doors_at,
        event_version=order.event_version,
    )
