"""`accounts`, as this service sees it."""

import asyncio
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict

from chassis.http import ProviderProblem, ProviderUnavailable, expect
from chassis.languages import DEFAULT, known
from services.tickets.domain import Holder
from tracing.spans import note


class _ContactOut(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str | None = None
    language: str = DEFAULT


class AccountsClient:
    """Knows who holds a ticket. It is asked for when a ticket is printed, and stored in no row."""

    def __init__(self, http: httpx.AsyncClient, seconds: float) -> None:
        self._http = http
        self._seconds = seconds

    async def holder(self, person_id: UUID) -> Holder:
        """A person. One without a name if accounts does not say it in time: a ticket lets in without one."""
        route = "/people/{person_id}/contact"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._http.get(f"/people/{person_id}/contact", extensions={"route": route})
                expect(response, 200, provider="accounts")
        except (ProviderUnavailable, ProviderProblem, TimeoutError) as error:
            note({"onsale.refusal": getattr(error, "problem_code", "unavailable")})
            return Holder()
        contact = _ContactOut.model_validate_json(response.content)
        return Holder(contact.name, known(contact.language))
