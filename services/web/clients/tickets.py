"""tickets, as web sees it: issued tickets and their PDF."""

import asyncio
from datetime import datetime
from typing import Literal
from uuid import UUID

import httpx

from chassis.http import ProviderUnavailable, expect
from services.web.clients.reading import Read, understood
from services.web.clients.records import Records, read_records

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


class TicketsClient:
    """Asks tickets, always for one person."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def of_order(self, token: str, order_id: UUID) -> list[Ticket]:
        """The tickets of an order, [] while there are none yet."""
        response = await self._http.get(
            f"/orders/{order_id}/tickets",
            headers={"Onsale-Person": token},
            extensions={"route": "/orders/{order_id}/tickets"},
        )
        if response.status_code == httpx.codes.NOT_FOUND:
            return []
        expect(response, 200, provider="tickets")
        with understood("tickets", response):
            return Tickets.model_validate_json(response.content).items

    async def of_order_now(self, token: str, order_id: UUID) -> list[Ticket] | None:
        """The same for a page that does not wait long: None if nobody can be asked now."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.of_order(token, order_id)
        except (ProviderUnavailable, TimeoutError):
            return None

    async def pdf(self, token: str, order_id: UUID, pdf_format: PdfFormat) -> bytes:
        """The order's tickets to print (`a4`) or to carry (`phone`); ProviderProblem `tickets_unknown`."""
        response = await self._http.get(
            f"/orders/{order_id}/tickets.pdf",
            params={"format": pdf_format},
            headers={"Onsale-Person": token},
            extensions={"route": "/orders/{order_id}/tickets.pdf"},
        )
        expect(response, 200, provider="tickets")
        return response.content

    async def mine(self, token: str, after: str | None, limit: int) -> TicketPage:
        """This person's tickets, by start."""
        parameters = {"limit": str(limit)} | ({"after": after} if after else {})
        response = await self._http.get(
            "/tickets", params=parameters, headers={"Onsale-Person": token}, extensions={"route": "/tickets"}
        )
        expect(response, 200, provider="tickets")
        with understood("tickets", response):
            return TicketPage.model_validate_json(response.content)

    async def records(self, order_id: UUID) -> Records:
        """What tickets has recorded of an order, for support; nothing of one that it does not know."""
        route = "/records/orders/{order_id}"
        response = await self._http.get(f"/records/orders/{order_id}", extensions={"route": route})
        return read_records("tickets", response)
