"""A seat knows its row and its place in it. Seat maps never change: those that are there stay without."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE seat ADD COLUMN row_id varchar, ADD COLUMN place_in_row integer")


def downgrade() -> None:
    op.execute("ALTER TABLE seat DROP COLUMN row_id, DROP COLUMN place_in_row")
