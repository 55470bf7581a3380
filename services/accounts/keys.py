"""The keys that vouch for people: one signs, all are published."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.clock import utc_now
from chassis.logs import log
from chassis.people import PEOPLE_AUDIENCE, PEOPLE_ISSUER
from chassis.tokens import ALGORITHM, load_signing_key
from services.accounts.settings import AccountsSettings

_LOG = log(__name__)


@dataclass(frozen=True)
class PersonToken:
    """A signed token and when it expires."""

    token: str
    expires_at: datetime


class Keyring:
    """Signs people's tokens with the first key; publishes the public halves of all."""

    def __init__(self, signing: Ed25519PrivateKey, *others: Ed25519PrivateKey, lives_seconds: int) -> None:
        self._signing = signing
        self._key_id = key_id(signing)
        self._lives = timedelta(seconds=lives_seconds)
        keys = {key_id(key): key for key in (signing, *others)}
        self.jwks = {"keys": [_published(key, name) for name, key in keys.items()]}

    @classmethod
    def load(cls, settings: AccountsSettings) -> "Keyring":
        """Reads the key files. Without one, outside production, a key is made that lives as long as the process."""
        if settings.signing_key_file is None:
            _LOG.warning("no signing_key_file: people's tokens are worth nothing after a restart")
            signing = Ed25519PrivateKey.generate()
        else:
            signing = load_signing_key(settings.signing_key_file)
        files = (settings.next_signing_key_file, settings.previous_signing_key_file)
        others = [load_signing_key(file) for file in files if file is not None]
        return cls(signing, *others, lives_seconds=settings.token_lives_seconds)

    def token_of(self, person_id: UUID, *, guest: bool) -> PersonToken:
        """A token that says who somebody is, and no more: neither name nor address."""
        return self._signed(person_id, utc_now() + self._lives, {"guest": guest})

    def pass_of(self, person_id: UUID, order_id: UUID, until: datetime) -> PersonToken:
        """A token that shows one order of a guest to whoever has it, and opens nothing else."""
        return self._signed(person_id, until, {"guest": True, "order": str(order_id)})

    def _signed(self, person_id: UUID, until: datetime, more: dict[str, Any]) -> PersonToken:
        issued_at, expires_at = utc_now().replace(microsecond=0), until.replace(microsecond=0)
        claims = {
            "iss": PEOPLE_ISSUER,
            "aud": PEOPLE_AUDIENCE,
            "sub": str(person_id),
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
            **more,
        }
        token = jwt.encode(claims, self._signing, algorithm=ALGORITHM, headers={"kid": self._key_id})
        return PersonToken(token, expires_at)


def key_id(key: Ed25519PrivateKey) -> str:
    """The thumbprint of RFC 7638 of its public half: the same key has the same id everywhere."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _public(key)}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return _encoded(digest)


def _published(key: Ed25519PrivateKey, name: str) -> dict[str, Any]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _public(key), "kid": name, "use": "sig", "alg": ALGORITHM}


def _public(key: Ed25519PrivateKey) -> str:
    return _encoded(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
