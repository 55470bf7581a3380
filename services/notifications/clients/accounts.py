"""`accounts`, as this service sees it."""

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime

from chassis.asking import Client, Read, Sent, Use
from chassis.http import ProviderProblem
from chassis.languages import known
from services.notifications.domain import Contact, NotDelivered


class _PassWanted(Sent):
    order_id: UUID | None = None
    pass_until: AwareDatetime | None = None


class _Contact(Read):
    name: str | None
    email: str | None
    order_pass: str | None
    language: str


CONTACT = Use(
    "GET",
    "/people/{person_id}/contact",
    reads=_Contact,
    query=_PassWanted,
    refusals={"person_unknown": None},
)


class AccountsClient(Client):
    """Knows where people can be written to."""

    provider = "accounts"
    uses = (CONTACT,)

    async def contact_of(
        self, person_id: UUID, order_id: UUID | None = None, pass_until: datetime | None = None
    ) -> Contact:
        """A person's name, address and language; of a guest also what opens the order until then, if both are given.

        Raises NotDelivered (permanent) if there is no such person, ProviderUnavailable.
        """
        wanted = _PassWanted()
        if order_id is not None and pass_until is not None:
            wanted = _PassWanted(order_id=order_id, pass_until=pass_until)
        try:
            found = await self.ask(CONTACT, query=wanted, person_id=person_id)
        except ProviderProblem as problem:
            if problem.problem_code == "person_unknown":
                raise NotDelivered("accounts does not know the buyer", permanent=True) from None
            raise
        return Contact(name=found.name, email=found.email, order_pass=found.order_pass, language=known(found.language))
