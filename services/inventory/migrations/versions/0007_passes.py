"""Events whose places are held with a pass of their waiting room, and the passes that were used."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE event ADD COLUMN needs_pass boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE event ADD COLUMN sale_version bigint NOT NULL DEFAULT 0")
    op.execute("""
        CREATE TABLE used_pass (
            pass_id uuid CONSTRAINT pk_used_pass PRIMARY KEY,
            hold_id uuid NOT NULL,
            used_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX ix_used_pass_hold_id ON used_pass (hold_id)")


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: going back would let passes be used again.")
