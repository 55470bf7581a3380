"""`accounts`, as this service sees it."""

import asyncio
from uuid import UUID

from chassis.asking import Client, Http, Read, Use
from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.languages import known
from services.tickets.domain import Holder
from tracing.spans import note


class _Contact(Read):
    name: str | None
    language: str


CONTACT = Use("GET", "/people/{person_id}/contact", reads=_Contact, refusals={"person_unknown": None})


class AccountsClient(Client):
    """Asks who holds a ticket. The name is asked for when a ticket is printed, and stored in no row."""

    provider = "accounts"
    uses = (CONTACT,)

    def __init__(self, http: Http, seconds: float) -> None:
        super().__init__(http)
        self._seconds = seconds

    async def holder(self, person_id: UUID) -> Holder:
        """A person. One without a name if accounts does not say it in time: a ticket lets in without one."""
        try:
            async with asyncio.timeout(self._seconds):
                contact = await self.ask(CONTACT, person_id=person_id)
        except (ProviderUnavailable, ProviderProblem, TimeoutError) as error:
            note({"onsale.refusal": error.said if isinstance(error, ProviderProblem) else "unavailable"})
            return Holder()
        return Holder(contact.name, known(contact.language))
