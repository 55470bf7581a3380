"""The organiser may say that tickets get new codes: none has an epoch before the edition of its event."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("event", sa.Column("code_edition", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.create_check_constraint("ck_event_code_edition", "event", "code_edition BETWEEN 1 AND 65535")
