"""Tickets' routes."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi import Response as HttpResponse

from chassis.identity import Person, person, person_of_order
from chassis.languages import known
from chassis.operations import serves
from services.tickets.domain import CursorInvalid, Holder, Reason, Ticket, sentence_of
from services.tickets.operations import (
    GET_KEYS,
    GET_TICKETS_OF_ORDER,
    LIST_TICKETS,
    PRINT_FOR_HOLDER,
    TICKETS_PDF,
    VERIFY,
    CodeIn,
    HolderIn,
    TicketKeys,
    TicketOut,
    TicketsOut,
    TicketsPage,
    VerdictOut,
)
from services.tickets.printing import Format
from services.tickets.service import Tickets

PAGE_MAX = 100
KEYS_MAX_AGE_SECONDS = 300


def make_router(tickets: Tickets) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    _add_reading(router, tickets)
    _add_printing(router, tickets)
    _add_verifying(router, tickets)
    return router


def _add_reading(router: APIRouter, tickets: Tickets) -> None:
    @serves(router, GET_TICKETS_OF_ORDER)
    async def tickets_of_order(order_id: UUID, buyer: Annotated[Person, Depends(person_of_order)]) -> TicketsOut:
        """The tickets of one of the person's orders. May lag behind the fact by a moment; 404 until then."""
        found = await tickets.of_order(order_id, buyer.person_id)
        return TicketsOut(items=[_ticket_out(tickets, each) for each in found])

    @serves(router, LIST_TICKETS)
    async def my_tickets(
        buyer: Annotated[Person, Depends(person)],
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 20,
    ) -> TicketsPage:
        """The person's tickets, by the start of their events."""
        found = await tickets.of_person(buyer.person_id, after=_read_cursor(after), limit=limit + 1)
        items, more = found[:limit], len(found) > limit
        return TicketsPage(
            items=[_ticket_out(tickets, each) for each in items], next=_make_cursor(items[-1]) if more else None
        )


def _add_printing(router: APIRouter, tickets: Tickets) -> None:
    @serves(router, TICKETS_PDF)
    async def tickets_pdf(
        order_id: UUID,
        buyer: Annotated[Person, Depends(person_of_order)],
        page: Annotated[Format, Query(alias="format")] = Format.A4,
    ) -> HttpResponse:
        """The tickets of one of the person's orders as a PDF, a page each."""
        found = await tickets.of_order(order_id, buyer.person_id)
        return _file_of(found, await tickets.pdf(found, page))

    @serves(router, PRINT_FOR_HOLDER)
    async def print_for_holder(order_id: UUID, asked: HolderIn) -> HttpResponse:
        """The tickets of any order on A4, to be mailed to its buyer: who asks knows the holder, so that accounts is not asked again."""
        found = await tickets.of_order(order_id, None)
        holder = Holder(asked.name, known(asked.language))
        return _file_of(found, await tickets.pdf_for(holder, found, Format.A4))


def _add_verifying(router: APIRouter, tickets: Tickets) -> None:
    @serves(router, VERIFY)
    async def verify(asked: CodeIn) -> VerdictOut:
        """Whether a code is genuine and its ticket valid. Anybody may ask; a check changes nothing."""
        verdict = await tickets.verify("".join(asked.code.split()))
        ticket = verdict.ticket
        return VerdictOut(
            valid=verdict.reason is Reason.GENUINE,
            reason=verdict.reason,
            message=sentence_of(verdict.reason, ticket),
            ticket_id=ticket.ticket_id if ticket else None,
            event_title=ticket.event_title if ticket else None,
            class_name=ticket.class_name if ticket else None,
            seat_label=ticket.seat_label if ticket else None,
            event_state=ticket.event_state if ticket else None,
        )

    @serves(router, GET_KEYS)
    async def ticket_keys(response: HttpResponse) -> TicketKeys:
        """The keys that verify codes without asking us."""
        response.headers["Cache-Control"] = f"public, max-age={KEYS_MAX_AGE_SECONDS}"
        return TicketKeys.model_validate(tickets.public_keys())


def _ticket_out(tickets: Tickets, ticket: Ticket) -> TicketOut:
    return TicketOut(
        ticket_id=ticket.ticket_id,
        order_id=ticket.order_id,
        event_id=ticket.event_id,
        event_title=ticket.event_title,
        venue_name=ticket.venue_name,
        starts_at=ticket.starts_at,
        time_zone=ticket.time_zone,
        class_name=ticket.class_name,
        seat_label=ticket.seat_label,
        state=ticket.state,
        code=tickets.code_of(ticket),
        venue_street=ticket.venue_street,
        venue_city=ticket.venue_city,
        doors_at=ticket.doors_at,
        event_state=ticket.event_state,
        event_version=ticket.event_version,
        previous_starts_at=ticket.previous_starts_at,
    )


def _file_of(tickets: list[Ticket], pdf: bytes) -> HttpResponse:
    headers = {
        "Content-Disposition": f'inline; filename="{_file_name(tickets[0].order_number)}"',
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(pdf, media_type=TICKETS_PDF.media_type, headers=headers)


def _file_name(order_number: str) -> str:
    kept = "".join(each for each in order_number if each.isascii() and (each.isalnum() or each == "-"))
    return f"onsale-{kept}.pdf"


def _make_cursor(last: Ticket) -> str:
    return base64.urlsafe_b64encode(f"{last.starts_at.isoformat()} {last.ticket_id}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    if cursor is None:
        return None
    try:
        starts_at, ticket_id = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().split(" ")
        moment = datetime.fromisoformat(starts_at)
        if moment.tzinfo is None:
            raise CursorInvalid
        # In UTC it must still be within the calendar: the database takes it in UTC.
        return moment.astimezone(UTC), UUID(ticket_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise CursorInvalid from error
