"""`accounts`, as this service sees it."""

from datetime import datetime
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict

from chassis.http import ProviderProblem, expect
from chassis.languages import DEFAULT, known
from services.notifications.domain import Contact, NotDelivered


class _ContactOut(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str | None = None
    email: str | None = None
    order_pass: str | None = None
    language: str = DEFAULT


class AccountsClient:
    """Knows where people can be written to."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def contact_of(
        self, person_id: UUID, order_id: UUID | None = None, pass_until: datetime | None = None
    ) -> Contact:
        """A person's name, address and language; of a guest also what opens the order until then, if both are given.

        Raises NotDelivered (permanent) if there is no such person, ProviderUnavailable.
        """
        route = "/people/{person_id}/contact"
        asked: dict[str, str] = {}
        if order_id is not None and pass_until is not None:
            asked = {"order_id": str(order_id), "pass_until": pass_until.isoformat()}
        response = await self._http.get(f"/people/{person_id}/contact", params=asked, extensions={"route": route})
        try:
            expect(response, 200, provider="accounts")
        except ProviderProblem as problem:
            if problem.problem_code == "person_unknown":
                raise NotDelivered("accounts does not know the buyer", permanent=True) from None
            raise
        found = _ContactOut.model_validate_json(response.content)
        return Contact(name=found.name, email=found.email, order_pass=found.order_pass, language=known(found.language))
