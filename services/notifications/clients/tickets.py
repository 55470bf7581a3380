"""`tickets`, as this service sees it."""

from typing import Literal
from uuid import UUID

from chassis.asking import Client, Sent, Use
from services.notifications.domain import NotDelivered


class _Page(Sent):
    format: Literal["a4"]


PDF = Use(
    "GET",
    "/orders/{order_id}/tickets.pdf",
    reads=bytes,
    query=_Page,
    refusals={"tickets_unknown": None},
    media_type="application/pdf",
)


class TicketsClient(Client):
    """Prints tickets."""

    provider = "tickets"
    uses = (PDF,)

    async def pdf_of(self, order_id: UUID) -> bytes:
        """The tickets of an order as a PDF to print. Raises ProviderUnavailable, or ProviderProblem if they are not issued yet."""
        content = await self.ask(PDF, query=_Page(format="a4"), order_id=order_id)
        if not content.startswith(b"%PDF-"):
            raise NotDelivered("tickets answered with something that is not a PDF")
        return content
