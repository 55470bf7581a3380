"""`tickets`, as this service sees it."""

from uuid import UUID

from pydantic import Field

from chassis.asking import Client, Sent, Use
from chassis.languages import Language
from services.notifications.domain import Contact, NotDelivered

NAME_CHARACTERS_MAX = 200


class _Holder(Sent):
    name: str | None = Field(max_length=NAME_CHARACTERS_MAX)
    language: Language


PDF = Use(
    "POST",
    "/orders/{order_id}/tickets.pdf",
    reads=bytes,
    sends=_Holder,
    refusals={"tickets_unknown": None},
    repeatable=True,
    media_type="application/pdf",
)


class TicketsClient(Client):
    """Prints tickets."""

    provider = "tickets"
    uses = (PDF,)

    async def pdf_of(self, order_id: UUID, contact: Contact) -> bytes:
        """The tickets of an order as a PDF to print, with their holder's name.

        Raises ProviderUnavailable, or ProviderProblem if they are not issued yet.
        """
        holder = _Holder(name=contact.name and contact.name[:NAME_CHARACTERS_MAX], language=contact.language)
        content = await self.ask(PDF, body=holder, order_id=order_id)
        if not content.startswith(b"%PDF-"):
            raise NotDelivered("tickets answered with something that is not a PDF")
        return content
