"""Tickets keep the version of their event as it was bought, so that an older one that is heard late does not stand above it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds a column that may be null."""
    op.add_column("ticket", sa.Column("event_version", sa.BigInteger()))
