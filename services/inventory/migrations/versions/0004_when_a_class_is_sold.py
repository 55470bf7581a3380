"""From when until when places of a class may be held, and whether at all."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("ticket_class", sa.Column("for_sale", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.add_column("ticket_class", sa.Column("sale_begins_at", INSTANT))
    op.add_column("ticket_class", sa.Column("sale_ends_at", INSTANT))
