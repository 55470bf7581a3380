"""What payments says of the bank: while it is late fewer people are let in, since whoever is inside has to pay."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis.bus import understood
from chassis.facts import Heard

# It is said every second while it is so. Who does not say it any more has nothing to say, or has ended.
LASTS_SECONDS = 5.0


class BankHeard(Heard):
    """The bus message of payments."""

    process_id: UUID
    late_seconds: float


class Bank:
    """The bank as the processes of payments see it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._late: dict[UUID, tuple[float, float]] = {}

    def late_seconds(self) -> float:
        """By how much it takes longer than people should wait, as the process says that waits longest; 0 if nobody says anything."""
        now = self._clock()
        self._late = {each: said for each, said in self._late.items() if now - said[0] <= LASTS_SECONDS}
        return max((late for _, late in self._late.values()), default=0.0)

    async def on_bank_late(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says how the bank keeps up."""
        if (heard := understood(BankHeard, payload)) is None:
            return
        self._late[heard.process_id] = (self._clock(), heard.late_seconds)
