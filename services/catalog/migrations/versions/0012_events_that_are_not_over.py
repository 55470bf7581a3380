"""Events that are over cost a page nothing, however many there are, and a search finds the events that have its letters."""

from alembic import op

from chassis.migrations import add_index

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Adds only; nobody waits. The extension comes with Postgres, and whoever owns the database may switch it on."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    add_index(op, "ix_event_under_way", "event USING gist (tstzrange(starts_at, ends_at)) WHERE ends_at IS NOT NULL")
    add_index(op, "ix_event_search_text", "event USING gin (search_text gin_trgm_ops)")
