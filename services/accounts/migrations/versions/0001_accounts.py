"""People and their sessions."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables."""
    create_chassis_tables(op)
    op.create_table(
        "person",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("guest", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String()),
        sa.Column("email", sa.String()),
        sa.Column("email_key", sa.String()),
        sa.Column("password_hash", sa.String()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("person_id", name="pk_person"),
        sa.CheckConstraint("guest = (password_hash IS NULL)", name="ck_person_password_hash"),
        sa.CheckConstraint("guest OR (name IS NOT NULL AND email IS NOT NULL)", name="ck_person_contact"),
        sa.CheckConstraint("(email IS NULL) = (email_key IS NULL)", name="ck_person_email_key"),
    )
    op.create_index(
        "uq_person_email_key_registered",
        "person",
        ["email_key"],
        unique=True,
        postgresql_where=sa.text("NOT guest"),
    )
    _create_sessions()
    op.create_table(
        "sign_in_attempts",
        sa.Column("email_hash", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name="pk_sign_in_attempts"),
        sa.CheckConstraint("attempts > 0", name="ck_sign_in_attempts_attempts"),
    )
    op.create_index("ix_sign_in_attempts_window_ends_at", "sign_in_attempts", ["window_ends_at"])


def _create_sessions() -> None:
    op.create_table(
        "session",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_because", sa.String()),
        sa.PrimaryKeyConstraint("session_id", name="pk_session"),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name="fk_session_person_id"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ck_session_ended"),
        sa.CheckConstraint("ended_because IN ('signed_out', 'token_reused')", name="ck_session_ended_because"),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("token_hash", name="pk_refresh_token"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.session_id"], name="fk_refresh_token_session_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["session_id"])
    op.create_index("ix_refresh_token_expires_at", "refresh_token", ["expires_at"])


def downgrade() -> None:
    """Refused: people's accounts are not dropped by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy people's accounts.")
