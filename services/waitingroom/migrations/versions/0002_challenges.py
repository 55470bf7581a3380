"""Sales that ask whoever joins for a proof of work, and the proofs that were used."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the sale's wish, and the table of used proofs."""
    op.execute("ALTER TABLE sale ADD COLUMN challenge boolean NOT NULL DEFAULT false")
    op.execute("""
        CREATE TABLE used_solution (
            solution_id uuid CONSTRAINT pk_used_solution PRIMARY KEY,
            event_id uuid NOT NULL,
            expires_at timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_used_solution_expires_at ON used_solution (expires_at)")


def downgrade() -> None:
    """Refused: proofs that were used would count again."""
    raise NotImplementedError("Restore a backup instead: going back would let proofs of work be used again.")
