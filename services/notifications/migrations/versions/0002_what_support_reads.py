"""What support reads of a mail: what each try came to, and in which span."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import add_what_support_reads

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Adds a table."""
    add_what_support_reads(op)
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery_id", sa.Uuid(), sa.ForeignKey("delivery.delivery_id"), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String()),
        sa.Column("again_at", _MOMENT),
        sa.Column("traceparent", sa.String()),
        sa.Column("ended_at", _MOMENT, nullable=False, server_default=sa.func.now()),
    )
