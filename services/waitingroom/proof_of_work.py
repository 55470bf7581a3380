"""The challenge as a proof of work, in the format and with the library of ALTCHA: a browser computes, nobody is shown a picture.

The number that fits is chosen beforehand, so that the work has an end which everybody can wait for. Its derived key is signed as
well: an answer is checked by two HMACs, and a flood of wrong ones costs this service nothing to speak of.
"""

import asyncio
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from altcha import Payload, create_challenge, verify_solution

from services.waitingroom.domain import ChallengeExpired, ChallengeWrong, Solved

ALGORITHM = "PBKDF2/SHA-256"
# What a browser says of its time is kept up to an hour.
LONGEST_MS = 3_600_000


class ProofOfWork:
    """Challenges of at most `tries` tries, each of `rounds` rounds of PBKDF2, good for `seconds`."""

    def __init__(self, key: str, *, tries: int, rounds: int, seconds: int) -> None:
        self._challenge_key, self._answer_key = (
            hmac.digest(key.encode(), purpose, "sha256") for purpose in (b"challenge", b"answer")
        )
        self._tries = tries
        self._rounds = rounds
        self._seconds = seconds

    async def puzzle(self, event_id: UUID) -> str:
        """A new challenge for one event. It costs one try, which another thread makes: others need not wait for it."""
        return await asyncio.to_thread(self._made, event_id)

    def _made(self, event_id: UUID) -> str:
        challenge = create_challenge(
            ALGORITHM,
            self._rounds,
            counter=secrets.randbelow(self._tries),
            expires_at=int(time.time()) + self._seconds,
            data={"event": str(event_id)},
            hmac_secret=self._challenge_key,
            hmac_key_secret=self._answer_key,
        )
        return json.dumps(challenge.to_dict())

    def check(self, event_id: UUID, solution: str) -> Solved:
        """What an answer proves. Raises `ChallengeExpired`, and `ChallengeWrong` for all that was not computed for this event."""
        payload = _payload_of(solution)
        result = verify_solution(payload, self._challenge_key, hmac_key_secret=self._answer_key)
        if result.expired:
            raise ChallengeExpired
        asked = payload.challenge.parameters
        if not result.verified or asked.data != {"event": str(event_id)} or asked.expires_at is None:
            raise ChallengeWrong
        expires_at = datetime.fromtimestamp(asked.expires_at, UTC)
        return Solved(UUID(hex=asked.nonce), expires_at, _milliseconds(payload.solution.time))


def _payload_of(solution: str) -> Payload:
    try:
        return Payload.from_base64(solution)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ChallengeWrong from error


def _milliseconds(said: object) -> int | None:
    if not isinstance(said, int | float) or not 0 <= said <= LONGEST_MS:
        return None
    return int(said)
