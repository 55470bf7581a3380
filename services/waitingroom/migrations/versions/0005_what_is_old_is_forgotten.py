"""Answers to requests and tries of work are forgotten when they are old, and the oldest are found by an index."""

from alembic import op

from chassis.migrations import add_what_is_forgotten

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds only; nobody waits."""
    add_what_is_forgotten(op)


def downgrade() -> None:
    """Takes them away again."""
    op.execute("DROP INDEX IF EXISTS ix_idempotency_key_created_at")
    op.execute("DROP INDEX IF EXISTS ix_work_attempt_begun_at")
