"""News of events wait under a word of their own, which the version before does not lease: it could not read their names."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The index serves the version before as well: what it looks for is among what this holds."""
    op.drop_constraint("ck_delivery_state", "delivery", type_="check")
    op.create_check_constraint(
        "ck_delivery_state", "delivery", "state IN ('waiting', 'waiting_news', 'sent', 'failed')"
    )
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('waiting', 'waiting_news')"),
    )
    op.execute("UPDATE delivery SET state = 'waiting_news' WHERE state = 'waiting' AND template LIKE '%/%'")
