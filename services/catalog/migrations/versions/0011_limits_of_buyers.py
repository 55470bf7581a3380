"""How many places of an event one account may have, over all its orders."""

from alembic import op

from chassis.migrations import add_check

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE event ADD COLUMN max_per_buyer integer")
    add_check(op, "event", "max_per_buyer", "max_per_buyer >= 1")


def downgrade() -> None:
    op.execute("ALTER TABLE event DROP COLUMN max_per_buyer")
