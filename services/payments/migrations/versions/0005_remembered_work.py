"""What the bank is asked, and what it hinted at, is remembered work like any other: a lease, a fence, tries in the chassis' table."""

from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds only; the version before knows no lease, and asks twice at worst, under the same key."""
    create_chassis_tables(op)
    for table in ("payment", "gateway_operation", "webhook"):
        op.execute(f"""
            ALTER TABLE {table} ADD COLUMN IF NOT EXISTS leased_until timestamptz,
                ADD COLUMN IF NOT EXISTS fence integer NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS problem varchar
        """)
    op.execute("ALTER TABLE payment ADD COLUMN IF NOT EXISTS tries integer NOT NULL DEFAULT 0")
    # Their number was that of their try: later ones go on from there.
    op.execute("UPDATE gateway_operation SET fence = attempts")
    op.execute("""
        INSERT INTO work_attempt (queue, key, fence, attempt, begun_at, ended_at, outcome, problem, traceparent)
        SELECT 'payments.ask_about_operation', key, attempt, attempt, asked_at, silent_at,
            CASE WHEN problem IS NOT NULL THEN 'put_off' END, problem, traceparent
        FROM gateway_attempt ON CONFLICT DO NOTHING
    """)
