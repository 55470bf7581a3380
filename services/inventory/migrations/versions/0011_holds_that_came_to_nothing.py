"""Holds that came to nothing are forgotten when they are old, and the oldest are found by an index."""

from alembic import op

from chassis.migrations import add_index

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Adds only; nobody waits."""
    add_index(op, "ix_hold_ended", "hold (expires_at) WHERE state IN ('released', 'expired')")


def downgrade() -> None:
    op.drop_index("ix_hold_ended", "hold")
