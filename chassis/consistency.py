"""How old what an operation reads may be: declared beside its route, with the reason that its product has.

A read is served by a replica only if its policy allows it. Work that is no request has no policy, and reads the primary: a worker has
no pin, and what it decides it decides for everybody.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["primary only", "own writes", "stale", "no database"]

# Beside each operation of an OpenAPI document.
CONSISTENCY = "x-consistency"


@dataclass(frozen=True)
class Policy:
    """Of what age a read may be. `seconds` bound the age of a replica that serves it, None if none does. `why` is a sentence."""

    kind: Kind
    why: str
    seconds: float | None = None

    @property
    def may_be_old(self) -> bool:
        """Whether a replica may serve it."""
        return self.seconds is not None

    @property
    def minds_pins(self) -> bool:
        """Whether the replica must have what the caller wrote."""
        return self.kind == "own writes"

    def __str__(self) -> str:
        if self.seconds is None:
            return self.kind
        return f"{self.kind}, else up to {self.seconds:g} s old" if self.minds_pins else f"up to {self.seconds:g} s old"

    def document(self) -> dict[str, Any]:
        """As OpenAPI shows it."""
        return {"policy": self.kind, "stale_up_to_seconds": self.seconds, "why": self.why}


def primary_only(why: str) -> Policy:
    """What was committed when it is asked."""
    return Policy("primary only", why)


def own_writes(seconds: float, why: str) -> Policy:
    """What its caller has written is there; what others wrote may be missing for so many seconds."""
    return Policy("own writes", why, seconds)


def stale(seconds: float, why: str) -> Policy:
    """May miss what was written in the last seconds, whoever asks: nobody who asks has written any of it."""
    return Policy("stale", why, seconds)


def no_database(why: str) -> Policy:
    """Answered from memory or settings."""
    return Policy("no database", why)


# The policy of the operation that is being answered.
current_policy: ContextVar[Policy | None] = ContextVar("current_policy", default=None)


def declared(policy: Policy) -> Callable[[], Awaitable[None]]:
    """A dependency with which a route's reads follow its policy."""

    async def declare() -> None:
        current_policy.set(policy)

    return declare
