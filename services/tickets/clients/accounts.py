"""`accounts`, as this service sees it."""

import asyncio
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict

from chassis.http import ProviderProblem, ProviderUnavailable, expect
from tracing.spans import note


class _ContactOut(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str | None = None


class AccountsClient:
    """Knows what the holder of a ticket is called. The name is asked for when a ticket is printed, and stored in no row."""

    def __init__(self, http: httpx.AsyncClient, seconds: float) -> None:
        self._http = http
        self._seconds = seconds

    async def name_of(self, person_id: UUID) -> str | None:
        """A person's name. None if there is none, or if accounts does not say it in time: a ticket lets in without one."""
        route = "/people/{person_id}/contact"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._http.get(f"/people/{person_id}/contact", extensions={"route": route})
                expect(response, 200, provider="accounts")
        except (ProviderUnavailable, ProviderProblem, TimeoutError) as error:
            note({"onsale.refusal": getattr(error, "problem_code", "unavailable")})
            return None
        return _ContactOut.model_validate_json(response.content).name
