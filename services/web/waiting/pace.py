"""How fast a queue really moves, as far as it was seen here. Pure but for its clock."""

import time
from collections import deque
from collections.abc import Callable

# What happened within so many seconds counts; with less than the second number nobody can say.
LOOK_BACK_SECONDS, LEAST_SECONDS = 120.0, 30.0
SAMPLE_SECONDS = 5.0
MINUTE_SECONDS = 60


class Pace:
    """The highest number that was served in one queue, and how many people a minute that is.

    The rate of a sale is what it lets in at most. While those inside take their time, fewer come in: an estimate by the rate
    alone would promise too much.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()
        self.serving = 0

    def note(self, serving: int) -> None:
        """Up to that number people were let in by now. Messages may be late: it never falls."""
        self.serving = max(self.serving, serving)
        now = self._clock()
        if not self._samples or now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, self.serving))
        # The oldest sample that is kept is the youngest of those that are old enough.
        while len(self._samples) > 1 and now - self._samples[1][0] >= LOOK_BACK_SECONDS:
            self._samples.popleft()

    def stand_still(self) -> None:
        """Nobody is let in at the moment, for a reason that ends: what was seen before says nothing of what comes after."""
        self._samples.clear()

    def a_minute(self) -> float | None:
        """How many people a minute were let in; None if it was not watched for long enough."""
        if not self._samples:
            return None
        since, serving = self._samples[0]
        seconds = self._clock() - since
        return (self.serving - serving) / seconds * MINUTE_SECONDS if seconds >= LEAST_SECONDS else None
