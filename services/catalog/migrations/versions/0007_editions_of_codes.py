"""The organiser may say that tickets get new codes, and that the earlier ones are refused at the door."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("event", sa.Column("code_edition", sa.Integer, nullable=False, server_default=sa.text("1")))
