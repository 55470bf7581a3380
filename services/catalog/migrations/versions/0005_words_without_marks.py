"""The words of each event as a search compares them now: without marks in every alphabet. Data alone; the column stays."""

import sqlalchemy as sa
from alembic import op

from services.catalog.folding import search_text

revision = "0005"
down_revision = "0004"

BATCH = 500


def upgrade() -> None:
    # What is derived is derived by today's rules, whatever they were when this was written.
    connection = op.get_bind()
    last = "00000000-0000-0000-0000-000000000000"
    while rows := connection.execute(_NEXT, {"last": last, "batch": BATCH}).all():
        texts = [
            {"event_id": row.event_id, "words": search_text(row.title, row.name, row.city, row.organiser_name)}
            for row in rows
        ]
        connection.execute(_WRITE, texts)
        last = rows[-1].event_id


_NEXT = sa.text("""
    SELECT event.event_id, event.title, venue.name, venue.city, event.organiser_name
    FROM event JOIN venue USING (venue_id) WHERE event.event_id > CAST(:last AS uuid) ORDER BY event.event_id LIMIT :batch
""")
_WRITE = sa.text("UPDATE event SET search_text = :words WHERE event_id = :event_id")
