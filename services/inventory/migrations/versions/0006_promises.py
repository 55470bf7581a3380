"""The database itself refuses a second owner of a seat, and a sold seat without a hold that is committed."""

from alembic import op

from chassis.migrations import add_check, add_check_at_commit, add_rule

revision = "0006"
down_revision = "0005"

# Deferred: seats and their hold are changed by statements of their own, in this or that order, and count at the commit.
_HOLD_HAS_ITS_SEATS = """
    CREATE OR REPLACE FUNCTION hold_has_its_seats() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        owner uuid := COALESCE(NEW.hold_id, OLD.hold_id);
        hold_state text;
        hold_lines jsonb;
        promised bigint := 0;
        sold bigint;
        held bigint;
    BEGIN
        -- Locked, so that nobody ends this hold while its seats are counted.
        SELECT state, lines INTO hold_state, hold_lines FROM hold WHERE hold_id = owner FOR SHARE;
        IF hold_state = 'committed' THEN
            SELECT count(*) INTO promised FROM jsonb_array_elements(hold_lines) AS line WHERE line ->> 'seat_id' IS NOT NULL;
        END IF;
        SELECT count(*) FILTER (WHERE state = 'sold'), count(*) FILTER (WHERE state = 'held') INTO sold, held
        FROM seat WHERE hold_id = owner;
        IF sold <> promised THEN
            RAISE EXCEPTION 'hold % is %, so it must have % sold seats, and it has %', owner, hold_state, promised, sold
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_has_its_seats';
        END IF;
        IF held > 0 AND hold_state <> 'held' THEN
            RAISE EXCEPTION 'hold % is %, so it must keep no seat, and it has % held ones', owner, hold_state, held
                USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_has_its_seats';
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    """Adds only. The version before writes seats and their hold in one transaction, too."""
    add_rule(
        op,
        "seat",
        "seat_has_one_owner",
        on="UPDATE OF hold_id",
        when="OLD.hold_id <> NEW.hold_id",
        says="this seat is promised to another hold: release that one first",
    )
    add_rule(
        op,
        "hold",
        "hold_ends_once",
        on="UPDATE OF state",
        when="OLD.state = 'released' AND NEW.state <> 'released' OR OLD.state = 'expired' AND NEW.state = 'held'"
        " OR OLD.state = 'committed' AND NEW.state NOT IN ('committed', 'released')",
        says="this hold has ended or is sold, and does not come back: make a new one",
    )
    op.execute(_HOLD_HAS_ITS_SEATS)
    # Their conditions leave out what happens while places are held: that costs a comparison, and no look at another table.
    add_check_at_commit(
        op,
        "seat",
        "seat_sold_by_its_hold",
        on="UPDATE OF state, hold_id",
        when="(OLD.state = 'sold') <> (NEW.state = 'sold')",
        function="hold_has_its_seats",
    )
    add_check_at_commit(
        op, "seat", "seat_not_made_sold", on="INSERT", when="NEW.state = 'sold'", function="hold_has_its_seats"
    )
    add_check_at_commit(
        op,
        "hold",
        "hold_keeps_its_seats",
        on="UPDATE OF state",
        when="OLD.state <> NEW.state",
        function="hold_has_its_seats",
    )
    add_check(op, "hold", "of_an_order_or_released", "order_id IS NOT NULL OR state = 'released'")
