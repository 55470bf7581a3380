"""The database itself keeps that a visit of support was left, as long as a copy of its cookie would open it."""

from alembic import op

from chassis.migrations import add_rule

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds only."""
    add_rule(
        op,
        "left_visit",
        "left_visit_stays",
        on="DELETE",
        when="OLD.expires_at > now()",
        says="this visit was left, and its cookie would open it again: wait until it has expired",
    )
