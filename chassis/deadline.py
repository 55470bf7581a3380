"""Deadlines: what is left of the time that the first caller is ready to wait travels with the call."""

import time
from contextvars import Context, ContextVar, copy_context

from chassis.errors import DeadlinePassed

DEADLINE_HEADER = "Onsale-Deadline-Ms"
DEFAULT_SECONDS = 15.0
MAX_SECONDS = 60.0
# A callee gets this much less time than its caller has, so that its answer still arrives.
MARGIN_SECONDS = 0.02

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_deadline(seconds: float) -> float:
    """Starts a deadline for what runs in this context; bounded. Returns it in seconds."""
    bounded = max(0.0, min(seconds, MAX_SECONDS))
    _deadline.set(time.monotonic() + bounded)
    return bounded


def remaining_seconds(at_most: float) -> float:
    """What is left, at most `at_most`. Raises `DeadlinePassed` if it is nothing."""
    deadline = _deadline.get()
    if deadline is None:
        return at_most
    left = deadline - time.monotonic() - MARGIN_SECONDS
    if left <= 0:
        raise DeadlinePassed
    return min(left, at_most)


def without_deadline() -> Context:
    """This context as it is for work that is done for others too, and so goes on when the time of whoever began it is over."""
    context = copy_context()
    context.run(_deadline.set, None)
    return context


def seconds_of_header(value: str | None) -> float:
    """The deadline that a caller sent, in seconds; the default if there is none or it makes no sense."""
    try:
        return int(value) / 1000 if value else DEFAULT_SECONDS
    except (ValueError, OverflowError):
        return DEFAULT_SECONDS
