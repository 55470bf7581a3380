"""Failpoints: places where a crash test lets the process die, as hard as a power cut lets it."""

import os
import signal

_armed: str | None = None


def arm(point: str | None) -> None:
    """Lets the process die when it next reaches `point`. None disarms."""
    global _armed
    _armed = point


def failpoint(point: str) -> None:
    """Dies here, without any clean-up, if this point is armed; does nothing otherwise."""
    if _armed == point:
        os.kill(os.getpid(), signal.SIGKILL)
        # The first process of a container cannot kill itself so.
        os._exit(128 + signal.SIGKILL)
