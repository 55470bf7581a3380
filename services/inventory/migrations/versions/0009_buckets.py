"""Events are in one of 256 buckets, and a shard refuses holds in a bucket that is not, or not now, its own."""

from alembic import op

revision = "0009"
down_revision = "0008"

# A volatile function: each of its statements sees what was committed when it began, so after it has waited for a freeze, the freeze.
# The lock is held to the end of the transaction: a bucket is frozen when all who were writing in it are done (buckets.py).
_HOLD_IS_HERE = """
    CREATE OR REPLACE FUNCTION hold_is_here() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(7410984, bucket_of(NEW.event_id));
        IF EXISTS (SELECT FROM bucket WHERE bucket.bucket = bucket_of(NEW.event_id) AND state <> 'here') THEN
            RAISE EXCEPTION 'bucket % is not here, or moves away at this moment', bucket_of(NEW.event_id) USING ERRCODE = 'ON001';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    """Adds only. Without rows in `bucket`, as where there is one shard, everything is here."""
    op.execute("""
        CREATE TABLE bucket (
            bucket integer CONSTRAINT pk_bucket PRIMARY KEY CONSTRAINT ck_bucket_bucket CHECK (bucket BETWEEN 0 AND 255),
            state varchar(10) NOT NULL CONSTRAINT ck_bucket_state CHECK (state IN ('here', 'frozen', 'elsewhere')),
            since timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE OR REPLACE FUNCTION bucket_of(event_id uuid) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN get_byte(uuid_send(event_id), 15)
    """)
    op.execute(_HOLD_IS_HERE)
    # Whoever moves a bucket writes where it is not yet, and says so.
    op.execute("""
        CREATE TRIGGER hold_is_here BEFORE INSERT OR UPDATE ON hold FOR EACH ROW
        WHEN (current_setting('onsale.moves_a_bucket', true) IS DISTINCT FROM 'yes')
        EXECUTE FUNCTION hold_is_here()
    """)


def downgrade() -> None:
    raise NotImplementedError("Restore a backup instead: going back would let a shard sell what another one sells.")
