"""A sale lets nobody in faster than its rate, whatever the code says."""

from alembic import op

from chassis.migrations import add_rule

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What was left over, and what the rate gives since the last step; a thousandth for the rounding of numbers with a point.
_TOO_FAST = """
    NEW.serving > OLD.serving AND NEW.serving - OLD.serving > OLD.credit + 0.001
        + coalesce(extract(epoch FROM NEW.advanced_at - OLD.advanced_at), 0) / 60 * greatest(OLD.rate, NEW.rate)
"""


def upgrade() -> None:
    """Adds the rule."""
    add_rule(
        op,
        "sale",
        "never_faster_than_its_rate",
        on="UPDATE OF serving",
        says="More people would be let in than the rate of the sale allows since the last step.",
        when=_TOO_FAST,
    )


def downgrade() -> None:
    """Takes it away again."""
    op.execute("DROP TRIGGER IF EXISTS never_faster_than_its_rate ON sale")
