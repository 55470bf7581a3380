"""How the bank keeps up, as one process sees it; whoever lets people in hears of it while it does not."""

import time
from collections import deque
from collections.abc import Callable
from uuid import UUID, uuid4

from chassis.bus import Bus
from services.payments.events import BankLate

# So long people wait for a bank without thinking that something is wrong.
PATIENCE_SECONDS = 2.0
# What no answer counts for at least: a bank that refuses connections does so at once.
SILENT_SECONDS = 5.0
# What was asked longer ago says nothing of now.
WINDOW_SECONDS = 10.0
# Fewer answers than these are no rush that anybody has to slow down.
LEAST_ASKED = 3


class PaceOfBank:
    """Answers of the last seconds, and questions that got none."""

    def __init__(self, bus: Bus, clock: Callable[[], float] = time.monotonic, process_id: UUID | None = None) -> None:
        self._bus = bus
        self._clock = clock
        self._process_id = process_id or uuid4()
        self._answers: deque[tuple[float, float]] = deque(maxlen=500)
        self._has_said = False

    def took(self, seconds: float, *, answered: bool = True) -> None:
        """The bank was asked something, and answered or did not after so many seconds. No answer is a late one, however quick."""
        self._answers.append((self._clock(), seconds if answered else max(seconds, SILENT_SECONDS)))

    def late_seconds(self) -> float:
        """By how much its answers take longer than people should wait, on average; 0 if it keeps up, or if nobody asks it."""
        while self._answers and self._clock() - self._answers[0][0] > WINDOW_SECONDS:
            self._answers.popleft()
        if len(self._answers) < LEAST_ASKED:
            return 0.0
        mean = sum(seconds for _, seconds in self._answers) / len(self._answers)
        return max(0.0, mean - PATIENCE_SECONDS)

    async def say(self) -> int:
        """Says it on the bus while it is late, and once when it is not any more. It returns 0: there is no more to do now."""
        late = self.late_seconds()
        if late > 0 or self._has_said:
            await self._bus.say(BankLate(process_id=self._process_id, late_seconds=round(late, 3)))
        self._has_said = late > 0
        return 0
