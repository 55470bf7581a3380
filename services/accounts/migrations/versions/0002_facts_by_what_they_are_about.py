"""Facts are found by what they are about, as support asks for them."""

from alembic import op

from chassis.migrations import add_what_support_reads

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_what_support_reads(op)
