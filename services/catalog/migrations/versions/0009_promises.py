"""The database itself keeps what was published: versions of seat maps, their seats, classes and their kind."""

from alembic import op

from chassis.migrations import add_rule

revision = "0009"
down_revision = "0008"

_SOLD = "it may have been sold: what was published stays, as domain.check_change says"
# The answer made of a seat map is no part of this: a migration may make it anew.
_GEOMETRY = "seat_map_id, name, version, width, height, digest"


def upgrade() -> None:
    """Adds only; the version before never writes any of this either."""
    stays = "a version of a seat map never changes: import the plan again, as a new version"
    add_rule(op, "seat_map", "seat_map_stays", on=f"UPDATE OF {_GEOMETRY} OR DELETE", says=stays)
    add_rule(op, "seat", "seat_stays", on="UPDATE OR DELETE", says=stays)
    add_rule(op, "ticket_class", "class_stays", on="DELETE", says=_SOLD)
    add_rule(
        op,
        "ticket_class",
        "class_keeps_its_kind",
        on="UPDATE OF kind, event_id",
        when="OLD.kind <> NEW.kind OR OLD.event_id <> NEW.event_id",
        says=_SOLD,
    )
    add_rule(
        op,
        "event",
        "event_never_older",
        on="UPDATE OF version, code_edition",
        when="NEW.version < OLD.version OR NEW.code_edition < OLD.code_edition",
        says="versions of events and editions of codes only grow: whoever heard of the later one would not hear this",
    )
