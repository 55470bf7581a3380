"""A payment knows whether its payer has ever authorised it, also when it was called off in the same moment."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("payment", sa.Column("was_authorised", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute("""
        UPDATE payment SET was_authorised = true
        WHERE state IN ('authorised', 'captured', 'refunded') OR EXISTS (
            SELECT FROM payment_change WHERE payment_change.payment_id = payment.payment_id
                AND payment_change.state = 'authorised'
        )
    """)


def downgrade() -> None:
    """Refused: what happened to money is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy what is known of payments.")
