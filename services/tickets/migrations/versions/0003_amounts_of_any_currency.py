"""Prices have 64 bits, as the orders that they come from have."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.alter_column("ticket", "unit_price_minor", type_=sa.BigInteger(), existing_nullable=False)
