"""The saga and awaited tickets are remembered work like any other: a fence, tries in the table of the chassis."""

from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds only; the version before tells once too often at worst, which a hearer's inbox absorbs."""
    create_chassis_tables(op)
    op.execute("""
        ALTER TABLE awaited_tickets ADD COLUMN IF NOT EXISTS due_at timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN IF NOT EXISTS leased_until timestamptz, ADD COLUMN IF NOT EXISTS fence integer NOT NULL DEFAULT 0,
            ADD COLUMN IF NOT EXISTS problem varchar
    """)
    op.execute("CREATE INDEX IF NOT EXISTS ix_awaited_tickets_due_at ON awaited_tickets (due_at)")
    op.execute("UPDATE awaited_tickets SET due_at = since + make_interval(secs => 30 * power(2, tellings - 1))")
    # Waits of older versions have no fence; below zero is before all.
    op.execute("""
        INSERT INTO work_attempt (queue, key, fence, attempt, begun_at, ended_at, outcome, problem, again_at, traceparent)
        SELECT 'orders.advance_order', CAST(order_id AS text), row_number() OVER (PARTITION BY order_id ORDER BY waited_at) - 100000,
            attempt, waited_at, waited_at, state, problem, again_at, traceparent
        FROM order_wait ON CONFLICT DO NOTHING
    """)
