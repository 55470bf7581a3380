"""Seat maps that were imported before say what newer ones say: how a row is described, where its number is painted.

What their plans said of it was not kept, so it is what pages have shown of them all along.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    connection = op.get_bind()
    documents = connection.execute(sa.text("SELECT seat_map_id, document FROM seat_map"))
    change = sa.text("UPDATE seat_map SET document = :document WHERE seat_map_id = :seat_map_id")
    for seat_map_id, document in documents.all():
        seat_map = json.loads(document)
        for zone in seat_map["zones"]:
            for row in zone["rows"]:
                row.setdefault("name", f"Row {row['label']}" if row["label"] else "")
                row.setdefault("label_at", "both")
            for area in zone["areas"]:
                area.setdefault("lettering", None)
        changed = json.dumps(seat_map, ensure_ascii=False, separators=(",", ":"))
        connection.execute(change, {"seat_map_id": seat_map_id, "document": changed})
