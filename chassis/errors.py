"""Errors that are shown to a caller.

An error is a fact with a stable `code`, of a `category`; the HTTP status follows from the category, here and nowhere else.
Domain errors do not inherit from these classes (a domain imports the standard library alone): it is enough that they have
`code`, `category` and a message that is a sentence. Their public attributes become members of the problem document.
"""

import re
from typing import Any, ClassVar

import asyncpg
from pydantic import ValidationError

# Postgres' detail ("Key (email)=(...) already exists."), SQLAlchemy's parameters, and pydantic's input.
_QUOTED = re.compile(
    r"(?<=DETAIL:).*?(?=\n\[SQL: |\n\nThe above|\n\nDuring|\Z)"
    r"|(?<=\[parameters: ).*?(?=\n|\Z)"
    r"|(?<=input_value=).*?(?=, input_type=)",
    re.DOTALL,
)

STATUS_OF_CATEGORY = {
    "invalid": 422,
    "malformed": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "upgrade_needed": 426,
    "too_many": 429,
    "unavailable": 503,
}


class ChassisError(Exception):
    """Base of the errors below."""

    code: ClassVar[str]
    category: ClassVar[str]


class NotAuthenticated(ChassisError):
    """No token, or one that does not verify."""

    code = "not_authenticated"
    category = "unauthenticated"

    def __init__(self, why: str = "Send a valid token.") -> None:
        super().__init__(why)


class CallerNotAllowed(ChassisError):
    """A known service that has no business here."""

    code = "caller_not_allowed"
    category = "forbidden"

    def __init__(self, caller: str) -> None:
        self.caller = caller
        super().__init__(f"The service {caller} may not call this route. Add it to the route's callers if it should.")


class KeyReused(ChassisError):
    """The same Idempotency-Key with another request."""

    code = "idempotency_key_reused"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a different request. Send a new key for a new request.")


class StillInProgress(ChassisError):
    """The first request with this key has not ended yet."""

    code = "still_in_progress"
    category = "conflict"
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still in progress. Ask again in a second.")


class KeyMissing(ChassisError):
    """A request that is not safe to repeat came without a key."""

    code = "idempotency_key_missing"
    category = "malformed"

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key header (8 to 200 characters), new for each new request.")


class DeadlinePassed(ChassisError):
    """The caller does not wait any more."""

    code = "deadline_passed"
    category = "unavailable"

    def __init__(self) -> None:
        super().__init__("The time that the caller was ready to wait has passed. Try again.")


class StoreUnavailable(ChassisError):
    """The database did not answer."""

    code = "store_unavailable"
    category = "unavailable"

    def __init__(self) -> None:
        super().__init__("The store does not answer at the moment. Try again in a few seconds.")


class Crowded(ChassisError):
    """So many requests for the same are served at this moment that this one was not even read (chassis/crowds.py)."""

    code = "crowded"
    category = "unavailable"
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("Very many people want the same at this moment. Try again in a second.")


class NotMigrated(ChassisError):
    """The database is older than this code needs."""

    code = "not_migrated"
    category = "unavailable"

    def __init__(self, found: str | None, needed: str) -> None:
        state = f"is at migration {found}" if found else "has no tables yet"
        super().__init__(f"The database {state}, and this version needs {needed}: run the service's migration.")


def safe_text(error: BaseException) -> str:
    """What may be written of an error in a log or a row: its kind and its text, but not what people typed.

    Only errors whose text is known to quote values are shown in other words: those of a database, and of a model that refused.
    """
    kind = type(error).__name__
    if isinstance(error, ValidationError):
        fields = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        return f"{error.title} does not fit: {'; '.join(fields)}"
    if isinstance(error, asyncpg.PostgresError):
        return f"{kind}: SQLSTATE {error.sqlstate or 'unknown'}"
    return f"{kind}: {error}"


def scrubbed(text: str) -> str:
    """A text or a traceback, without what errors of a database or of a model quote of the values."""
    return _QUOTED.sub("(left out)", text)


def status_of(error: BaseException) -> int:
    """The HTTP status of an error with a category; 500 for any other."""
    return STATUS_OF_CATEGORY.get(getattr(error, "category", ""), 500)


def facts_of(error: BaseException) -> dict[str, Any]:
    """The error's public instance attributes."""
    return {name: value for name, value in vars(error).items() if not name.startswith("_")}
