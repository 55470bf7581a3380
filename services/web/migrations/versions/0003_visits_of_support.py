"""Visits of support that have been left: their cookie opens nothing any more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "left_visit",
        sa.Column("visit_hash", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(visit_hash) = 32", name="ck_left_visit_visit_hash"),
    )
    op.create_index("ix_left_visit_expires_at", "left_visit", ["expires_at"])
