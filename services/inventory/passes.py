"""Passes of the waiting room: verified here, with the public keys of all services, and without asking anybody."""

from pathlib import Path
from uuid import UUID

from chassis.errors import NotAuthenticated
from chassis.tokens import read_keys, verified_claims

ISSUER = "waitingroom"
AUDIENCE = "places"


class PassVerifier:
    """Reads passes."""

    def __init__(self, keys_file: Path) -> None:
        self._key = read_keys(keys_file.read_bytes()).get(ISSUER)

    def pass_id(self, token: str | None, event_id: UUID, buyer_id: UUID | None) -> UUID | None:
        """The id of a pass that is good now, for this event and this buyer; None for anything else."""
        if token is None or buyer_id is None:
            return None
        try:
            claims = verified_claims(token, self._key, audience=AUDIENCE, issuer=ISSUER)
            is_theirs = UUID(claims["sub"]) == buyer_id and UUID(claims["event"]) == event_id
            return UUID(claims["jti"]) if is_theirs else None
        except (NotAuthenticated, KeyError, ValueError):
            return None
