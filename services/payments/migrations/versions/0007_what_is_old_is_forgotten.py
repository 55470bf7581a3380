"""Answers to requests and tries of work are forgotten when they are old, and the oldest are found by an index."""

from alembic import op

from chassis.migrations import add_what_is_forgotten

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds only; nobody waits."""
    add_what_is_forgotten(op)
