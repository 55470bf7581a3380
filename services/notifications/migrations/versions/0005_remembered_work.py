"""Mails are remembered work like any other: a fence, and tries in the table of the chassis."""

from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds only; the version before leases by `lease_id`, which this one leaves alone, and so the two may differ."""
    create_chassis_tables(op)
    op.execute("ALTER TABLE delivery DROP CONSTRAINT IF EXISTS ck_delivery_lease")
    op.execute("ALTER TABLE delivery ADD COLUMN IF NOT EXISTS fence integer NOT NULL DEFAULT 0")
    op.execute("CREATE INDEX IF NOT EXISTS ix_delivery_failed ON delivery (created_at) WHERE state = 'failed'")
    # Its number was that of its try: later ones go on from there.
    op.execute("UPDATE delivery SET fence = attempts")
    op.execute("""
        INSERT INTO work_attempt (queue, key, fence, attempt, begun_at, ended_at, outcome, problem, again_at, traceparent)
        SELECT 'notifications.send_email', CAST(delivery_id AS text), attempt, attempt, ended_at, ended_at,
            CASE state WHEN 'waiting' THEN 'put_off' WHEN 'failed' THEN 'given_up' ELSE state END, problem, again_at, traceparent
        FROM delivery_attempt ON CONFLICT DO NOTHING
    """)
