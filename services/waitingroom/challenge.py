"""What whoever joins a queue may be asked for first. Nobody is, unless the settings have a key and the sale wants it."""

from typing import Protocol
from uuid import UUID

from services.waitingroom.domain import Solved
from services.waitingroom.proof_of_work import ProofOfWork
from services.waitingroom.settings import WaitingroomSettings


class Challenge(Protocol):
    """The hook: how it is asked for, and how an answer is checked. That each answer counts once is not its business."""

    async def puzzle(self, event_id: UUID) -> str:
        """A new challenge for one event, as the page's script reads it."""

    def check(self, event_id: UUID, solution: str) -> Solved:
        """What an answer proves. Raises `ChallengeWrong` and `ChallengeExpired`."""


def challenge_of(settings: WaitingroomSettings) -> Challenge | None:
    """The challenge of this deployment; None: it has none. Another kind is put in here."""
    if settings.challenge_key is None:
        return None
    return ProofOfWork(
        settings.challenge_key.get_secret_value(),
        tries=settings.challenge_tries,
        rounds=settings.challenge_rounds,
        seconds=settings.challenge_seconds,
    )
