"""Identifiers."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """A new UUID that sorts by its time of making (RFC 9562, version 7)."""
    return _uuid7()
