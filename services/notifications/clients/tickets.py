"""`tickets`, as this service sees it."""

from uuid import UUID

import httpx

from chassis.http import expect
from services.notifications.domain import NotDelivered


class TicketsClient:
    """Prints tickets."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def pdf_of(self, order_id: UUID) -> bytes:
        """The tickets of an order as a PDF to print. Raises ProviderUnavailable, ProviderProblem (`tickets_unknown`)."""
        route = "/orders/{order_id}/tickets.pdf"
        response = await self._http.get(
            f"/orders/{order_id}/tickets.pdf", params={"format": "a4"}, extensions={"route": route}
        )
        expect(response, 200, provider="tickets")
        if not response.content.startswith(b"%PDF-"):
            raise NotDelivered("tickets answered with something that is not a PDF")
        return response.content
