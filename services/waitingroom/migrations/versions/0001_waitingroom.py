"""Sales with a waiting room, and who waits."""

from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NEVER_BACK = """
    CREATE OR REPLACE FUNCTION serving_never_falls() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.serving < OLD.serving OR NEW.last_number < OLD.last_number THEN
            RAISE EXCEPTION 'the sale of % has served %, and cannot go back to %', OLD.event_id, OLD.serving, NEW.serving
                USING ERRCODE = 'check_violation', CONSTRAINT = 'serving_never_falls';
        END IF;
        IF OLD.drawn_at IS NOT NULL AND (NEW.seed <> OLD.seed OR NEW.drawn_at IS DISTINCT FROM OLD.drawn_at
                                         OR NEW.drawn <> OLD.drawn) THEN
            RAISE EXCEPTION 'lots of the sale of % are drawn: they stay', OLD.event_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'drawn_once';
        END IF;
        RETURN NEW;
    END $$
"""
_NUMBER_STAYS = """
    CREATE OR REPLACE FUNCTION number_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.number IS NOT NULL AND NEW.number IS DISTINCT FROM OLD.number THEN
            RAISE EXCEPTION 'entry % has number %: it stays', OLD.entry_id, OLD.number
                USING ERRCODE = 'check_violation', CONSTRAINT = 'number_stays';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    """Creates the tables."""
    create_chassis_tables(op)
    op.execute("CREATE SEQUENCE entry_seq")
    op.execute("""
        CREATE TABLE sale (
            event_id uuid CONSTRAINT pk_sale PRIMARY KEY,
            doors_open_at timestamptz NOT NULL,
            starts_at timestamptz NOT NULL,
            rate integer NOT NULL,
            rate_now double precision NOT NULL,
            most_active integer NOT NULL,
            seed varchar(64) NOT NULL,
            drawn_at timestamptz,
            paused boolean NOT NULL DEFAULT false,
            ended boolean NOT NULL DEFAULT false,
            serving integer NOT NULL DEFAULT 0,
            credit double precision NOT NULL DEFAULT 0,
            last_number integer NOT NULL DEFAULT 0,
            drawn integer NOT NULL DEFAULT 0,
            advanced_at timestamptz,
            places_left integer,
            places_in_carts integer,
            CONSTRAINT ck_sale_doors_before_start CHECK (doors_open_at < starts_at),
            CONSTRAINT ck_sale_rate CHECK (rate > 0 AND rate_now >= 0 AND rate_now <= rate),
            CONSTRAINT ck_sale_most_active CHECK (most_active > 0),
            CONSTRAINT ck_sale_serving_those_who_came CHECK (0 <= serving AND serving <= last_number)
        )
    """)
    op.execute("""
        CREATE TABLE entry (
            entry_id uuid CONSTRAINT pk_entry PRIMARY KEY,
            event_id uuid NOT NULL CONSTRAINT fk_entry_event_id_sale REFERENCES sale (event_id),
            person_id uuid NOT NULL,
            address varchar(64) NOT NULL,
            seq integer NOT NULL DEFAULT nextval('entry_seq'),
            number integer,
            joined_at timestamptz NOT NULL DEFAULT now(),
            until timestamptz,
            passed boolean NOT NULL DEFAULT false,
            done boolean NOT NULL DEFAULT false,
            is_over boolean NOT NULL DEFAULT false,
            CONSTRAINT one_number_each UNIQUE (event_id, number)
        )
    """)
    op.execute("CREATE UNIQUE INDEX ux_entry_person ON entry (event_id, person_id) WHERE NOT is_over")
    op.execute("CREATE INDEX ix_entry_unnumbered ON entry (event_id, seq) WHERE number IS NULL")
    op.execute("CREATE INDEX ix_entry_active ON entry (event_id, until) WHERE until IS NOT NULL AND NOT done")
    op.execute("CREATE INDEX ix_entry_address ON entry (event_id, address)")
    op.execute(_NEVER_BACK)
    op.execute(
        "CREATE TRIGGER serving_never_falls BEFORE UPDATE ON sale FOR EACH ROW EXECUTE FUNCTION serving_never_falls()"
    )
    op.execute(_NUMBER_STAYS)
    op.execute(
        "CREATE TRIGGER number_stays BEFORE UPDATE OF number ON entry FOR EACH ROW EXECUTE FUNCTION number_stays()"
    )


def downgrade() -> None:
    """Refused: who waits is not dropped by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy who waits, and in which order.")
