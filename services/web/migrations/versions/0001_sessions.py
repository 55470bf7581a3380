"""Sessions, and the chassis' tables."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_chassis_tables(op)
    op.create_table(
        "session",
        sa.Column("id_hash", sa.LargeBinary, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("guest", sa.Boolean, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("sealed_tokens", sa.LargeBinary, nullable=False),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refreshing_until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name="pk_session"),
        sa.CheckConstraint("octet_length(id_hash) = 32", name=op.f("ck_session_id_hash")),
    )
    op.create_index("ix_session_expires_at", "session", ["expires_at"])
