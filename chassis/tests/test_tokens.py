"""Tokens of services: who made them, for whom, and whether their time is now."""

import json
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.errors import NotAuthenticated
from chassis.tokens import CallerVerifier


def test_a_token_whose_time_is_over_is_refused_and_still_known_as_one_of_ours(tmp_path: Path) -> None:
    key, stranger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    keys = tmp_path / "services.jwks.json"
    keys.write_text(
        json.dumps({"keys": [json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key())) | {"kid": "web"}]})
    )
    verifier = CallerVerifier("orders", keys)
    now = int(time.time())
    for shift in (-3600, 3600):
        claims = {"iss": "web", "aud": "orders", "iat": now + shift, "exp": now + shift + 60}
        late, forged = (jwt.encode(claims, each, algorithm="EdDSA", headers={"kid": "web"}) for each in (key, stranger))
        with pytest.raises(NotAuthenticated):
            verifier.caller(late)
        assert verifier.signed_by_ours(late)
        assert not verifier.signed_by_ours(forged)
    for_another = jwt.encode(
        {"iss": "web", "aud": "tickets", "iat": now, "exp": now + 60}, key, "EdDSA", {"kid": "web"}
    )
    assert not verifier.signed_by_ours(for_another)
    assert not verifier.signed_by_ours("no token")
