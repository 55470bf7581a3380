"""Tokens: EdDSA only. A service proves who it is with a token of a minute; accounts vouches for people."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.errors import NotAuthenticated
from chassis.logs import log

ALGORITHM = "EdDSA"
SERVICE_TOKEN_SECONDS = 60
REISSUE_SECONDS = 40
LEEWAY_SECONDS = 10
PEOPLE_ISSUER = "accounts"
PEOPLE_AUDIENCE = "onsale"
CACHED_TOKENS = 10_000
KEYS_FRESH_SECONDS = 300
KEYS_RETRY_SECONDS = 2

_LOG = log(__name__)


@dataclass(frozen=True)
class Person:
    """Somebody on whose behalf a service is called. A guest has no password."""

    person_id: UUID
    guest: bool


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 private key from a PEM file. Raises ValueError with a sentence for anything else."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} does not hold an Ed25519 private key.")
    return key


class ServiceTokens:
    """Tokens with which this service calls others; one is reused for most of its minute, since signing costs more than the call."""

    def __init__(self, service_name: str, key: Ed25519PrivateKey) -> None:
        self._name = service_name
        self._key = key
        self._issued: dict[str, tuple[float, str]] = {}

    def to(self, provider: str) -> str:
        """A token that only `provider` accepts."""
        now = time.time()
        issued = self._issued.get(provider)
        if issued and now - issued[0] < REISSUE_SECONDS:
            return issued[1]
        claims = {"iss": self._name, "aud": provider, "iat": int(now), "exp": int(now) + SERVICE_TOKEN_SECONDS}
        token = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._name})
        self._issued[provider] = (now, token)
        return token


class _Verified:
    """Claims of tokens that verified, until they expire: Ed25519 once per token, not once per request."""

    def __init__(self) -> None:
        self._claims: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def get(self, token: str) -> dict[str, Any] | None:
        claims = self._claims.get(token)
        return claims if claims and claims["exp"] > time.time() else None

    def put(self, token: str, claims: dict[str, Any]) -> None:
        self._claims[token] = claims
        if len(self._claims) > CACHED_TOKENS:
            self._claims.popitem(last=False)


class CallerVerifier:
    """Verifies service tokens that are meant for this service, against the public keys of all services."""

    def __init__(self, service_name: str, keys_file: Path) -> None:
        self._name = service_name
        self._keys = read_keys(keys_file.read_bytes())
        self._verified = _Verified()

    def caller(self, token: str) -> str:
        """The calling service's name. Raises `NotAuthenticated`."""
        claims = self._verified.get(token)
        if claims is None:
            name = _key_id(token)
            claims = _decode(token, self._keys.get(name), audience=self._name, issuer=name)
            self._verified.put(token, claims)
        return str(claims["iss"])


class PersonVerifier:
    """Verifies people's tokens with accounts' public keys; cached, so that a gate works on while accounts is down."""

    def __init__(self, keys_url: str) -> None:
        self._keys_url = keys_url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._verified = _Verified()

    async def person(self, token: str) -> Person:
        """Who the token is about. Raises `NotAuthenticated`."""
        claims = self._verified.get(token)
        if claims is None:
            key_id = _key_id(token)
            await self._refresh(missing=key_id not in self._keys)
            claims = _decode(token, self._keys.get(key_id), audience=PEOPLE_AUDIENCE, issuer=PEOPLE_ISSUER)
            self._verified.put(token, claims)
        try:
            return Person(UUID(claims["sub"]), bool(claims.get("guest", False)))
        except (KeyError, ValueError) as error:
            raise NotAuthenticated("The token does not name a person. Sign in again.") from error

    async def _refresh(self, *, missing: bool) -> None:
        now = time.monotonic()
        fresh = now - self._fetched_at < KEYS_FRESH_SECONDS
        if (fresh and not missing) or now - self._tried_at < KEYS_RETRY_SECONDS:
            return
        self._tried_at = now
        try:
            self._keys = read_keys(await self._fetch())
            self._fetched_at = now
        except (httpx.HTTPError, OSError, ValueError) as error:
            _LOG.warning("people's keys could not be read, going on with the known ones", error=str(error))

    async def _fetch(self) -> bytes:
        if self._keys_url.startswith("file:"):
            return Path(self._keys_url.removeprefix("file:")).read_bytes()
        async with httpx.AsyncClient(timeout=2.0) as client:
            return (await client.get(self._keys_url)).raise_for_status().content


def read_keys(document: bytes) -> dict[str, jwt.PyJWK]:
    """The Ed25519 keys of a JWKS by their ids; others are ignored. Raises ValueError if it is none."""
    try:
        keys = [jwt.PyJWK(key) for key in orjson.loads(document)["keys"] if key.get("crv") == "Ed25519"]
    except (KeyError, TypeError, jwt.PyJWTError) as error:
        raise ValueError("This is not a JSON Web Key Set.") from error
    return {str(key.key_id): key for key in keys}


def _key_id(token: str) -> str:
    try:
        return str(jwt.get_unverified_header(token).get("kid", ""))
    except jwt.PyJWTError as error:
        raise NotAuthenticated("The token is malformed. Send a valid token.") from error


def _decode(token: str, key: jwt.PyJWK | None, *, audience: str, issuer: str) -> dict[str, Any]:
    if key is None:
        raise NotAuthenticated("The token was signed with a key that is not known here.")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise NotAuthenticated("The token has expired. Get a new one.") from error
    except jwt.PyJWTError as error:
        raise NotAuthenticated("The token does not verify.") from error
    return claims
