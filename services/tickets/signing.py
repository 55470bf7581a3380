"""The key that signs ticket codes, and the keys that verify them."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.tickets.domain import Claims, CodeRefused, Reason, Ticket, format_code, key_id_of, parse_code


class KeyFileUnusable(Exception):
    """A key file that is missing or holds something else; the message says what to do."""


class Keyring:
    """Signs codes with one key; believes that key and the retired ones.

    A printed ticket lives longer than a key: a key that is no longer used to sign stays among the retired ones until
    the last event for which it signed is over.
    """

    def __init__(self, key: Ed25519PrivateKey, retired: Iterable[Ed25519PublicKey] = ()) -> None:
        self._key = key
        self._key_id = key_id_of(key.public_key().public_bytes_raw())
        self._public = {key_id_of(each.public_bytes_raw()): each for each in [key.public_key(), *retired]}

    @classmethod
    def load(cls, signing_key_file: Path | None, retired_keys_file: Path | None = None) -> "Keyring":
        """Reads a private key (PEM) and, if named, retired public keys (JWKS, as `public_keys` prints it).

        Raises KeyFileUnusable.
        """
        return cls(_read_private_key(signing_key_file), _read_public_keys(retired_keys_file))

    def code_of(self, ticket: Ticket) -> str:
        """The code of a ticket; always the same one for as long as the key is used, since Ed25519 draws no numbers."""
        claims = Claims(self._key_id, ticket.ticket_id, ticket.event_id, ticket.epoch)
        return format_code(claims, self._key.sign(claims.signed_bytes()))

    def verify(self, code: str) -> Claims:
        """The claims of a genuine code. Raises CodeRefused with the reason."""
        claims, signature = parse_code(code)
        key = self._public.get(claims.key_id)
        if key is None:
            raise CodeRefused(Reason.UNKNOWN_KEY)
        try:
            key.verify(signature, claims.signed_bytes())
        except InvalidSignature:
            raise CodeRefused(Reason.FORGED) from None
        return claims

    def public_keys(self) -> dict[str, list[dict[str, str]]]:
        """A JWKS: what a gate needs to verify codes offline."""
        return {"keys": [_jwk(key_id, key) for key_id, key in self._public.items()]}


def _jwk(key_id: str, key: Ed25519PublicKey) -> dict[str, str]:
    x = base64.urlsafe_b64encode(key.public_bytes_raw()).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": x}


def _read_private_key(path: Path | None) -> Ed25519PrivateKey:
    how = "Make one with `openssl genpkey -algorithm ed25519 -out FILE` and name it in TICKETS_SIGNING_KEY_FILE."
    if path is None:
        raise KeyFileUnusable(f"There is no key to sign tickets with. {how}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileUnusable(f"The key that signs tickets, {path}, cannot be read ({error}). {how}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileUnusable(f"The key that signs tickets, {path}, is not an Ed25519 key. {how}")
    return key


def _read_public_keys(path: Path | None) -> list[Ed25519PublicKey]:
    if path is None:
        return []
    try:
        document: Mapping[str, list[Mapping[str, str]]] = json.loads(path.read_text())
        return [
            Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4)))
            for key in document["keys"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileUnusable(f"The retired keys in {path} are not a JWKS of Ed25519 keys ({error!r}).") from error
