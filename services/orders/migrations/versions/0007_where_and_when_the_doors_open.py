"""What a guest needs at the door: the street, the country, and when the doors open."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds columns that may be null: orders that exist have none of it."""
    op.add_column("purchase_order", sa.Column("venue_street", sa.String()))
    op.add_column("purchase_order", sa.Column("venue_country", sa.String()))
    op.add_column("purchase_order", sa.Column("event_doors_at", sa.DateTime(timezone=True)))
