"""Keeps the servers that everything stands on: Postgres and NATS are brought back when they die, a bounded number of times."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from local.errors import StartError
from local.supervisor import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, WELL_AFTER_SECONDS, how_it_ended

GIVE_UP_AFTER = 5
LOOK_SECONDS = 0.1
TEND_SECONDS = 5.0


class Server(Protocol):
    """What a keeper needs of a server."""

    @property
    def ended_with(self) -> int | None:
        """The exit code of a server that was not asked to end, else None."""

    def kill(self) -> None:
        """Ends what is left of it."""

    def start(self) -> None:
        """Starts it again. Raises StartError."""


@dataclass
class Kept:
    """A server, and its name for people."""

    name: str
    server: Server
    # Makes again what it has to have, if it lost that. Raises StartError; changes nothing where all is well.
    tend: Callable[[], object] = lambda: None
    since: float = 0.0
    deaths: int = 0
    restart_at: float | None = None


class Keeper:
    """Looks after servers, in a thread of its own. When one cannot be brought back, `give_up` is called with the reason, in a sentence."""

    def __init__(self, kept: Sequence[Kept], say: Callable[[str], None], give_up: Callable[[str], None]) -> None:
        self._kept = kept
        self._say = say
        self._give_up = give_up
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)

    def open(self) -> None:
        """Begins, once the servers run."""
        for each in self._kept:
            each.since = time.monotonic()
        self._thread.start()

    def close(self) -> None:
        """Ends the keeping; waits for a start that is under way. Safe to repeat."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        tended_at = time.monotonic()
        while not self._closing.wait(LOOK_SECONDS):
            for each in self._kept:
                if each.server.ended_with is not None or each.restart_at is not None:
                    self._bring_back(each)
            if time.monotonic() - tended_at > TEND_SECONDS:
                for each in self._kept:
                    self._tend(each)
                tended_at = time.monotonic()

    def _bring_back(self, kept: Kept) -> None:
        now = time.monotonic()
        if kept.restart_at is None:
            kept.deaths = 1 if now - kept.since > WELL_AFTER_SECONDS else kept.deaths + 1
            self._plan(kept, f"{kept.name} {how_it_ended(kept.server.ended_with)}")
        elif now >= kept.restart_at:
            self._start(kept)

    def _plan(self, kept: Kept, what_happened: str) -> None:
        """Says what happened and when it is tried again, or that it is not any more."""
        if kept.deaths >= GIVE_UP_AFTER:
            self._closing.set()
            self._give_up(
                f"{what_happened}: {kept.deaths} failures, one soon after the other. Nothing can go on without it; all is stopped. "
                "Its log in the data folder says more; once that is mended, `make up` finds the data again."
            )
            return
        delay = min(FIRST_DELAY_SECONDS * 2 ** (kept.deaths - 1), LONGEST_DELAY_SECONDS)
        kept.restart_at = time.monotonic() + delay
        self._say(f"{what_happened}; it is started again in {delay:g} s.")

    def _start(self, kept: Kept) -> None:
        try:
            kept.server.kill()
            kept.server.start()
        except StartError as error:
            kept.deaths += 1
            self._plan(kept, f"{kept.name} could not be started again ({error})")
            return
        kept.restart_at = None
        kept.since = time.monotonic()
        self._say(f"{kept.name} is there again.")
        self._tend(kept)

    def _tend(self, kept: Kept) -> None:
        if kept.server.ended_with is None and kept.restart_at is None:
            try:
                kept.tend()
            except StartError:
                return  # it is just stopping, or hangs: services say so, and the next round looks again
