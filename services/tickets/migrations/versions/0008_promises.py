"""The database itself refuses a second ticket of a seat in one line, and an older word of an event above a newer one."""

from alembic import op

from chassis.migrations import add_check, add_rule

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds only."""
    add_rule(
        op,
        "event",
        "event_never_older",
        on="UPDATE OF version",
        when="NEW.version < OLD.version",
        says="a newer version of this event is known: what is older does not stand above it",
    )
    add_check(op, "ticket", "a_seat_is_one_place", "seat_id IS NULL OR ordinal = 1")
