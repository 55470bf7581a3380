"""A seat knows its row and its place in it, so that people who come together can be given seats together."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE seat ADD COLUMN row_id varchar, ADD COLUMN place_in_row integer")


def downgrade() -> None:
    op.execute("ALTER TABLE seat DROP COLUMN row_id, DROP COLUMN place_in_row")
