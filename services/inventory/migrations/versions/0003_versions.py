"""The version of what catalog last said of an event and of a seat: an older fact that comes late does not undo it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("event", "seat"):
        op.add_column(table, sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("0")))
