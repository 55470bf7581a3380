"""Whoever has many orders has pages as quick as others: their orders are found by what a page asks for."""

from alembic import op

from chassis.migrations import add_index

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds only; nobody waits."""
    add_index(
        op,
        "ix_purchase_order_shown",
        "purchase_order (person_id, order_id) WHERE reason IS DISTINCT FROM 'refused'",
    )
    add_index(
        op, "ix_purchase_order_person_event", "purchase_order (person_id, event_id, order_id) WHERE reason IS NULL"
    )
    add_index(
        op,
        "ix_purchase_order_request_cancelled",
        "purchase_order (person_id, request_key, order_id) WHERE request_key IS NOT NULL AND reason IS NOT NULL",
    )
