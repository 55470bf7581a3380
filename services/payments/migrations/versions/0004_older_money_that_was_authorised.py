"""Older payments say whether their payer had authorised them. Data alone, some at a time, while others go on paying."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BATCH = 5000


def upgrade() -> None:
    """Each batch is a transaction of its own and locks its rows for a moment. Interrupted, it begins anew, without harm."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        after = "00000000-0000-0000-0000-000000000000"
        while batch := connection.execute(_NEXT, {"after": after, "batch": BATCH}).scalars().all():
            connection.execute(_WRITE, {"after": after, "until": batch[-1]})
            after = batch[-1]


def downgrade() -> None:
    """Refused: what happened to money is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy what is known of payments.")


_NEXT = sa.text(
    "SELECT payment_id FROM payment WHERE payment_id > CAST(:after AS uuid) ORDER BY payment_id LIMIT :batch"
)
_WRITE = sa.text("""
    UPDATE payment SET was_authorised = true
    WHERE payment_id > CAST(:after AS uuid) AND payment_id <= CAST(:until AS uuid) AND NOT was_authorised AND (
        state IN ('authorised', 'captured', 'refunded') OR EXISTS (
            SELECT FROM payment_change WHERE payment_change.payment_id = payment.payment_id
                AND payment_change.state = 'authorised'
        )
    )
""")
