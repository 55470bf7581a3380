"""People: on whose behalf a service is called, vouched for by the service that knows them."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import jwt

from chassis.asking import Http
from chassis.errors import NotAuthenticated
from chassis.http import ProviderProblem, ProviderUnavailable, expect
from chassis.logs import log
from chassis.tokens import VerifiedTokens, key_id_of, read_keys, verified_claims

PEOPLE_ISSUER = "accounts"
PEOPLE_AUDIENCE = "onsale"
# Where accounts publishes its keys.
KEYS_PATH = "/.well-known/jwks.json"
KEYS_FRESH_SECONDS = 300
KEYS_RETRY_SECONDS = 2

_LOG = log(__name__)


@dataclass(frozen=True)
class Person:
    """Somebody on whose behalf a service is called. A guest has no password.

    `order_id`: whoever shows this token may see this one order of that person, and nothing else (the link in a guest's mail).
    """

    person_id: UUID
    guest: bool
    order_id: UUID | None = None


class PersonVerifier:
    """Verifies people's tokens with accounts' public keys; cached, so that a gate works on while accounts is down."""

    def __init__(self, keys_url: str, http: Http) -> None:
        self._keys_url = keys_url
        self._http = http
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()
        self._verified = VerifiedTokens()

    async def person(self, token: str) -> Person:
        """Who the token is about. Raises `NotAuthenticated`; `ProviderUnavailable` if no key could ever be read."""
        claims = self._verified.get(token)
        if claims is None:
            key_id = key_id_of(token)
            await self._refresh(key_id)
            if not self._keys:
                raise ProviderUnavailable(PEOPLE_ISSUER)  # a person must not be signed out because accounts is down
            claims = verified_claims(token, self._keys.get(key_id), audience=PEOPLE_AUDIENCE, issuer=PEOPLE_ISSUER)
            self._verified.put(token, claims)
        try:
            order_id = UUID(claims["order"]) if "order" in claims else None
            return Person(UUID(claims["sub"]), bool(claims.get("guest", False)), order_id)
        except (KeyError, ValueError) as error:
            raise NotAuthenticated("The token does not name a person. Sign in again.") from error

    async def _refresh(self, key_id: str) -> None:
        """Reads the keys if they are old, or lack the one that is asked for; at most every two seconds, and once for a crowd."""
        somebody_reads_it = key_id not in self._keys and self._reading.locked()
        if not somebody_reads_it and not self._needs_refresh(key_id):
            return
        async with self._reading:
            # While this task waited for the lock, another one may have fetched the key.
            if not self._needs_refresh(key_id):
                return
            self._tried_at = time.monotonic()
            try:
                self._keys = read_keys(await self._fetch())
                self._fetched_at = self._tried_at
            except (ProviderProblem, ProviderUnavailable, OSError, ValueError) as error:
                _LOG.warning("people's keys could not be read, going on with the known ones", error=str(error))

    def _needs_refresh(self, key_id: str) -> bool:
        now, missing = time.monotonic(), key_id not in self._keys
        fresh = now - self._fetched_at < KEYS_FRESH_SECONDS
        return (missing or not fresh) and now - self._tried_at >= KEYS_RETRY_SECONDS

    async def _fetch(self) -> bytes:
        if self._keys_url.startswith("file:"):
            return Path(self._keys_url.removeprefix("file:")).read_bytes()
        # By a traced client: the first request after a start waits for this, and its trace should say so.
        path = urlsplit(self._keys_url).path
        answer = await self._http.request("GET", path, extensions={"route": path})
        return expect(answer, 200, provider=PEOPLE_ISSUER).content
