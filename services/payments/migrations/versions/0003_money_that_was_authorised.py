"""A payment knows whether its payer has ever authorised it, also when it was called off in the same moment."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The column alone, which locks the table for a moment; 0004 says it of older payments."""
    op.add_column("payment", sa.Column("was_authorised", sa.Boolean(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    """Refused: what happened to money is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy what is known of payments.")
