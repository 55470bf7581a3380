"""An order knows the request that placed it, so that who presses again finds it instead of holding places twice."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("purchase_order", sa.Column("request_key", sa.String(200)))
    op.create_index(
        "ux_purchase_order_request",
        "purchase_order",
        ["person_id", "request_key"],
        unique=True,
        postgresql_where=sa.text("request_key IS NOT NULL AND reason IS NULL"),
    )
