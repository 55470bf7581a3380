"""Passes: what the waiting room vouches for, and inventory checks by itself."""

from datetime import UTC, datetime
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.tokens import ALGORITHM

ISSUER = "waitingroom"
# No service is called so: a pass is no token with which one service calls another.
AUDIENCE = "places"


class Passes:
    """Signed with this service's own key, of which all services know the public half."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def issue(self, entry_id: UUID, event_id: UUID, person_id: UUID, until: datetime) -> str:
        """A pass for one person and one event. Its id is that of the entry: however often it is issued, it is used once."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(person_id),
            "event": str(event_id),
            "jti": str(entry_id),
            "iat": int(datetime.now(UTC).timestamp()),
            "exp": int(until.timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": ISSUER})
