"""A person has a language: amounts in mails and on tickets are written in its way."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("person", sa.Column("language", sa.String(), server_default="en", nullable=False))
