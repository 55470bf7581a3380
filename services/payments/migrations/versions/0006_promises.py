"""The database itself refuses money that is taken or given back and not booked, and a payment that comes back from its end."""

from alembic import op

from chassis.migrations import add_check_at_commit, add_rule

revision = "0006"
down_revision = "0005"

# As `domain.TRANSITIONS` has them; a test compares the two. A version that adds one brings a migration with it.
_STEPS = {
    "created": ("authorised", "declined", "voided"),
    "authorised": ("captured", "voided"),
    "captured": ("refunded",),
    "declined": ("voided",),
}
# Deferred: a payment and its booking are written by statements of their own, and count at the commit.
_PAYMENT_IS_BOOKED = """
    CREATE OR REPLACE FUNCTION payment_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        step text;
        amount bigint;
        due text[];
        booked text[];
        other bigint;
    BEGIN
        SELECT state, amount_minor INTO step, amount FROM payment WHERE payment_id = NEW.payment_id FOR SHARE;
        due := CASE step WHEN 'captured' THEN '{captured}' WHEN 'refunded' THEN '{captured,refunded}' ELSE '{}' END;
        SELECT COALESCE(array_agg(kind ORDER BY kind), '{}') INTO booked FROM ledger_transfer WHERE payment_id = NEW.payment_id;
        IF booked <> due THEN
            RAISE EXCEPTION 'payment % is %, so % must be booked, and % is', NEW.payment_id, step, due, booked
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_is_booked';
        END IF;
        SELECT amount_minor INTO other FROM ledger_entry JOIN ledger_transfer USING (transfer_id)
            WHERE payment_id = NEW.payment_id AND abs(amount_minor) <> amount LIMIT 1;
        IF other IS NOT NULL THEN
            RAISE EXCEPTION 'payment % is of %, and % is booked', NEW.payment_id, amount, other
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_is_booked';
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    """Adds only; the version before takes the same steps, and books each in the transaction in which it takes it."""
    steps = ", ".join(f"('{was}', '{now}')" for was, following in _STEPS.items() for now in following)
    add_rule(
        op,
        "payment",
        "payment_takes_its_steps",
        on="UPDATE OF state",
        when=f"OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({steps})",
        says="no payment goes from this state to that one: payments/domain.py has the steps that there are",
    )
    add_rule(
        op,
        "payment",
        "payment_keeps_its_terms",
        on="UPDATE OF order_id, attempt, amount_minor, currency",
        when="(OLD.order_id, OLD.attempt, OLD.amount_minor, OLD.currency)"
        " IS DISTINCT FROM (NEW.order_id, NEW.attempt, NEW.amount_minor, NEW.currency)",
        says="what is to be paid, and for which order, does not change: void this payment and make another one",
    )
    add_rule(
        op,
        "gateway_operation",
        "operation_is_settled_once",
        on="UPDATE OF state",
        when="OLD.state <> 'unknown' AND OLD.state <> NEW.state",
        says="what became of this operation is known and does not change: a new wish is a new attempt",
    )
    op.execute(_PAYMENT_IS_BOOKED)
    moved = "NEW.state IN ('captured', 'refunded') AND OLD.state <> NEW.state"
    booked = "payment_is_booked"
    add_check_at_commit(op, "payment", "payment_booked", on="UPDATE OF state", when=moved, function=booked)
    add_check_at_commit(op, "ledger_transfer", "transfer_of_its_payment", on="INSERT", function=booked)


def downgrade() -> None:
    """Refused: what happened to money is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would let payments and the ledger differ.")
