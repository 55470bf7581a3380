"""Sales that have ended cost nothing, and a page of a draw reads what it shows."""

from alembic import op

from chassis.migrations import add_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds only; nobody waits."""
    add_index(op, "ix_sale_under_way", "sale (starts_at) WHERE NOT ended")
    add_index(op, "ix_entry_event_entry", "entry (event_id, entry_id)")


def downgrade() -> None:
    """Takes them away again."""
    op.execute("DROP INDEX IF EXISTS ix_sale_under_way")
    op.execute("DROP INDEX IF EXISTS ix_entry_event_entry")
