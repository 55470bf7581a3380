"""Prices have 64 bits: a hundred euros in Vietnamese đồng, with their decimals, are more than 32 hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.alter_column("ticket_class", "price_minor", type_=sa.BigInteger(), existing_nullable=False)
