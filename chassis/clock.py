"""The time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Now, timezone-aware. For what must not depend on this machine's clock, let the database say `now()`."""
    return datetime.now(UTC)
