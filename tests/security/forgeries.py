"""Tokens that look like ours and are not."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.tokens import load_signing_key


def forged(keys: Path, key_name: str, key_id: str, claims: dict[str, Any]) -> dict[str, str]:
    """By what is wrong with it: tokens for these claims. `key_name` is the file of the key that a good one is signed with."""
    key = load_signing_key(keys / f"{key_name}.pem")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    strange = Ed25519PrivateKey.generate()
    now = int(time.time())
    good = {"iat": now, "exp": now + 60, **claims}

    def signed(changes: dict[str, Any], header: dict[str, Any] | None = None, by: Ed25519PrivateKey = key) -> str:
        kept = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return jwt.encode(kept, by, algorithm="EdDSA", headers={"kid": key_id, **(header or {})})

    honest = signed({})
    head, body, signature = honest.split(".")
    public_jwk = {"kty": "OKP", "crv": "Ed25519", "x": _part(strange.public_key().public_bytes_raw())}
    return {
        "no algorithm": f"{_json({'alg': 'none', 'kid': key_id})}.{body}.",
        "no algorithm, signed": f"{_json({'alg': 'none', 'kid': key_id})}.{body}.{signature}",
        "HMAC with the public key": _hmac(key_id, body, public),
        "HMAC with the raw public key": _hmac(key_id, body, raw),
        "another key": signed({}, by=strange),
        "its own key in the header": signed({}, {"jwk": public_jwk}, by=strange),
        "a key from elsewhere": signed({}, {"jku": "http://127.0.0.1:1/jwks.json"}, by=strange),
        "a key from a file": signed({}, {"kid": "../../dev/null"}, by=strange),
        "an unknown extension": signed({}, {"crit": ["x"], "x": 1}),
        "expired": signed({"exp": now - 3600, "iat": now - 7200}),
        "without an end": signed({"exp": None}),
        "not yet": signed({"nbf": now + 3600}),
        "for somebody else": signed({"aud": "elsewhere"}),
        "for nobody": signed({"aud": None}),
        "from somebody else": signed({"iss": "elsewhere"}),
        "changed": f"{head}.{_json({**good, 'sub': 'x'})}.{signature}",
        "cut": f"{head}.{body}.{signature[:-8]}",
        "not a token": "words",
        "nothing": "..",
        "not even text": "\xff\xfe",
    }


def _hmac(key_id: str, body: str, secret: bytes) -> str:
    message = f"{_json({'alg': 'HS256', 'typ': 'JWT', 'kid': key_id})}.{body}"
    return f"{message}.{_part(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"


def _json(value: Any) -> str:
    return _part(json.dumps(value).encode())


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
