"""Tokens: EdDSA only. A service proves who it is with a token of a minute; accounts vouches for people."""

import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.errors import NotAuthenticated

ALGORITHM = "EdDSA"
SERVICE_TOKEN_SECONDS = 60
REISSUE_SECONDS = 40
LEEWAY_SECONDS = 10
CACHED_TOKENS = 10_000


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


class VerifiedTokens:
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
        self._verified = VerifiedTokens()

    def caller(self, token: str) -> str:
        """The calling service's name. Raises `NotAuthenticated`."""
        claims = self._verified.get(token)
        if claims is None:
            name = key_id_of(token)
            claims = verified_claims(token, self._keys.get(name), audience=self._name, issuer=name)
            if claims["exp"] - claims["iat"] > SERVICE_TOKEN_SECONDS:
                raise NotAuthenticated(
                    f"A service's token lives {SERVICE_TOKEN_SECONDS} seconds at most. Get a new one."
                )
            self._verified.put(token, claims)
        return str(claims["iss"])

    def signed_by_ours(self, token: str) -> bool:
        """Whether one of our services has made this token for this one, whatever the time: a call that is refused because a clock
        is wrong is one of our own all the same, and its trace is where that is found."""
        try:
            name = key_id_of(token)
            verified_claims(token, self._keys.get(name), audience=self._name, issuer=name, at_any_time=True)
        except NotAuthenticated:
            return False
        return True


def read_keys(document: bytes) -> dict[str, jwt.PyJWK]:
    """The Ed25519 keys of a JWKS by their ids; others are ignored. Raises ValueError if it is none."""
    try:
        keys = [jwt.PyJWK(key) for key in orjson.loads(document)["keys"] if key.get("crv") == "Ed25519"]
    except (KeyError, TypeError, jwt.PyJWTError) as error:
        raise ValueError("This is not a JSON Web Key Set.") from error
    return {str(key.key_id): key for key in keys}


def key_id_of(token: str) -> str:
    """The id of the key that a token claims to be signed with. Raises `NotAuthenticated` if it is no token."""
    try:
        return str(jwt.get_unverified_header(token).get("kid", ""))
    except jwt.PyJWTError as error:
        raise NotAuthenticated("The token is malformed. Send a valid token.") from error


def verified_claims(
    token: str, key: jwt.PyJWK | None, *, audience: str, issuer: str, at_any_time: bool = False
) -> dict[str, Any]:
    """The claims of a token that this key signed for this audience. Raises `NotAuthenticated` for any other.

    `at_any_time`: also of one that is over, or not yet begun.
    """
    on_time = not at_any_time
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
            options={
                "require": ["exp", "iat", "iss", "aud"],
                "verify_exp": on_time,
                "verify_iat": on_time,
                "verify_nbf": on_time,
            },
        )
    except jwt.ExpiredSignatureError as error:
        raise NotAuthenticated("The token has expired. Get a new one.") from error
    except jwt.PyJWTError as error:
        raise NotAuthenticated("The token does not verify.") from error
    return claims
