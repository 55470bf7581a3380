"""accounts, as web sees it: people, guests and their tokens."""

from datetime import datetime
from uuid import UUID

import httpx

from chassis.http import expect
from chassis.languages import DEFAULT
from services.web.clients.reading import Read, understood


class SignedIn(Read):
    """A person with the tokens that web keeps for them. `name` is null for a guest."""

    person_id: UUID
    name: str | None = None
    token: str
    token_expires_at: datetime
    refresh_token: str


class Me(Read):
    """What a person has told about themselves."""

    name: str | None = None
    email: str | None = None
    guest: bool
    language: str = DEFAULT


class AccountsClient:
    """Asks accounts."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def _signed_in(self, path: str, status: int, body: dict[str, str]) -> SignedIn:
        response = await self._http.post(path, json=body, extensions={"route": path})
        expect(response, status, provider="accounts")
        with understood("accounts", response):
            return SignedIn.model_validate_json(response.content)

    async def sign_up(self, email: str, password: str, name: str) -> SignedIn:
        """A new person; ProviderProblem `email_taken`, `password_too_weak`, `email_invalid`."""
        return await self._signed_in("/people", 201, {"email": email, "password": password, "name": name})

    async def new_guest(self) -> SignedIn:
        """A buyer without an account."""
        return await self._signed_in("/guests", 201, {})

    async def sign_in(self, email: str, password: str) -> SignedIn:
        """Who gave the right password; ProviderProblem `sign_in_failed`."""
        return await self._signed_in("/sessions", 201, {"email": email, "password": password})

    async def refresh(self, refresh_token: str) -> SignedIn:
        """New tokens for old; ProviderProblem `session_ended`. The old refresh token is worth nothing afterwards."""
        return await self._signed_in("/sessions/refresh", 200, {"refresh_token": refresh_token})

    async def end(self, refresh_token: str) -> None:
        """Forgets the session."""
        response = await self._http.post(
            "/sessions/end", json={"refresh_token": refresh_token}, extensions={"route": "/sessions/end"}
        )
        expect(response, 204, provider="accounts")

    async def me(self, token: str) -> Me:
        """What the person has told about themselves."""
        response = await self._http.get(
            "/people/me", headers={"Onsale-Person": token}, extensions={"route": "/people/me"}
        )
        expect(response, 200, provider="accounts")
        with understood("accounts", response):
            return Me.model_validate_json(response.content)

    async def tell_contact(self, token: str, name: str, email: str, language: str) -> None:
        """Who the tickets are for, where they go, and in whose way amounts are written; ProviderProblem `email_invalid`."""
        response = await self._http.patch(
            "/people/me",
            json={"name": name, "email": email, "language": language},
            headers={"Onsale-Person": token},
            extensions={"route": "/people/me"},
        )
        expect(response, 200, provider="accounts")
