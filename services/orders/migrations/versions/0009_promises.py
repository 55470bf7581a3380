"""The database itself refuses an order that is confirmed unpaid, a total that its lines are not, and a step that no order takes."""

from alembic import op

from chassis.migrations import add_check, add_check_at_commit, add_rule

revision = "0009"
down_revision = "0008"

# As `domain.TRANSITIONS` has them; a test compares the two. A version that adds one brings a migration with it.
_STEPS = {
    "placing": ("held", "cancelling", "cancelled"),
    "held": ("paying", "authorised", "cancelling"),
    "paying": ("authorised", "held", "cancelling"),
    "authorised": ("committed", "cancelling"),
    "committed": ("confirmed", "cancelling"),
    "cancelling": ("cancelled",),
}
# Deferred: an order and its lines are written by statements of their own, and count at the commit.
_LINES_SUM_TO_TOTAL = """
    CREATE OR REPLACE FUNCTION lines_sum_to_total() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        total bigint;
        lines bigint;
    BEGIN
        SELECT total_minor INTO total FROM purchase_order WHERE order_id = NEW.order_id;
        SELECT COALESCE(sum(quantity * unit_price_minor), 0) INTO lines FROM order_line WHERE order_id = NEW.order_id;
        IF lines <> total THEN
            RAISE EXCEPTION 'the lines of order % sum to %, and its total is %', NEW.order_id, lines, total
                USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_sum_to_total';
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    """Adds only; no step, and no amount, is another one in the version before."""
    steps = ", ".join(f"('{was}', '{now}')" for was, following in _STEPS.items() for now in following)
    add_rule(
        op,
        "purchase_order",
        "order_takes_its_steps",
        on="UPDATE OF state",
        when=f"OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({steps})",
        says="no order goes from this state to that one: orders/domain.py has the steps that there are",
    )
    add_rule(
        op,
        "order_line",
        "lines_stay_as_bought",
        on="UPDATE OR DELETE",
        says="what was ordered, and at which price, does not change: cancel the order and place another one",
    )
    add_rule(
        op,
        "event",
        "event_only_newer",
        on="UPDATE OF version",
        when="NEW.version <= OLD.version",
        says="this version of the event is known, or a newer one: only what is newer stands over it",
    )
    op.execute(_LINES_SUM_TO_TOTAL)
    summed = "lines_sum_to_total"
    add_check_at_commit(op, "order_line", "order_line_sums_to_total", on="INSERT", function=summed)
    add_check_at_commit(op, "purchase_order", "total_is_of_lines", on="UPDATE OF total_minor", function=summed)
    add_check(op, "purchase_order", "confirmed_is_paid_or_free", "state <> 'confirmed' OR paid OR total_minor = 0")
    add_check(op, "purchase_order", "paid_has_a_payment", "NOT paid OR payment_id IS NOT NULL")
