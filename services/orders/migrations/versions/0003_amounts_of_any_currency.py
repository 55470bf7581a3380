"""Amounts have 64 bits: 23 places at 950,000 rupiah are more than 32 hold."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.alter_column("purchase_order", "total_minor", type_=sa.BigInteger(), existing_nullable=False)
    op.alter_column("order_line", "unit_price_minor", type_=sa.BigInteger(), existing_nullable=False)
