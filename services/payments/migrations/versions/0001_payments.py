"""Payments, what gateways were asked and answered, and the double-entry ledger."""

import sqlalchemy as sa
from alembic import op

from chassis.migrations import create_chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)

# Deferred: the lines of a transfer are written one after the other, and count when the transaction commits.
_LEDGER_RULES = (
    """
    CREATE FUNCTION ledger_transfer_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        lines bigint;
        unbalanced text;
    BEGIN
        SELECT count(*) INTO lines FROM ledger_entry WHERE transfer_id = NEW.transfer_id;
        IF lines < 2 THEN
            RAISE EXCEPTION 'ledger transfer % has % entries, and needs two or more', NEW.transfer_id, lines
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_ledger_transfer_balanced';
        END IF;
        SELECT currency INTO unbalanced FROM ledger_entry WHERE transfer_id = NEW.transfer_id
            GROUP BY currency HAVING sum(amount_minor) <> 0 LIMIT 1;
        IF unbalanced IS NOT NULL THEN
            RAISE EXCEPTION 'the entries of ledger transfer % do not sum to zero in %', NEW.transfer_id, unbalanced
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_ledger_transfer_balanced';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_transfer_balanced AFTER INSERT ON ledger_transfer
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transfer_is_balanced()
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transfer_is_balanced()
    """,
    """
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is append-only: book a transfer in the other direction instead'
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """,
    """
    CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """,
)


def upgrade() -> None:
    """Creates the tables."""
    create_chassis_tables(op)
    _create_payment()
    _create_gateway_operation()
    _create_webhook()
    _create_ledger()


def _create_payment() -> None:
    op.create_table(
        "payment",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String()),
        sa.Column("description", sa.String()),
        sa.Column("return_url", sa.String()),
        sa.Column("pay_by", _MOMENT),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("gateway_payment_id", sa.String()),
        sa.Column("redirect_url", sa.String()),
        sa.Column("decline_reason", sa.String()),
        sa.Column("captured_at", _MOMENT),
        sa.Column("ask_at", _MOMENT),
        sa.Column("traceparent", sa.String()),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("payment_id", name="pk_payment"),
        sa.UniqueConstraint("order_id", "attempt", name="uq_payment_order_id_attempt"),
        sa.CheckConstraint(
            "state IN ('created', 'authorised', 'captured', 'declined', 'voided', 'refunded')", name="ck_payment_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_payment_amount_minor"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="ck_payment_currency"),
        sa.CheckConstraint(
            "(order_id IS NULL AND state = 'voided') OR num_nulls(order_id, amount_minor, currency, description,"
            " return_url, pay_by) = 0",
            name="ck_payment_terms",
        ),
        sa.CheckConstraint(
            "(captured_at IS NOT NULL) = (state IN ('captured', 'refunded'))", name="ck_payment_captured_at"
        ),
    )
    op.create_index(
        "uq_payment_live_of_order",
        "payment",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created', 'authorised', 'captured')"),
    )
    op.create_index(
        "uq_payment_gateway_payment_id",
        "payment",
        ["gateway_payment_id"],
        unique=True,
        postgresql_where=sa.text("gateway_payment_id IS NOT NULL"),
    )
    op.create_index("ix_payment_ask_at", "payment", ["ask_at"], postgresql_where=sa.text("ask_at IS NOT NULL"))


def _create_gateway_operation() -> None:
    op.create_table(
        "gateway_operation",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.String()),
        sa.Column("ask_again_at", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("key", name="pk_gateway_operation"),
        sa.UniqueConstraint("payment_id", "kind", name="uq_gateway_operation_payment_id_kind"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="fk_gateway_operation_payment_id"),
        sa.CheckConstraint("kind IN ('authorise', 'capture', 'void', 'refund')", name="ck_gateway_operation_kind"),
        sa.CheckConstraint("state IN ('unknown', 'succeeded', 'refused')", name="ck_gateway_operation_state"),
        sa.CheckConstraint("(refusal IS NOT NULL) = (state = 'refused')", name="ck_gateway_operation_refusal"),
    )
    op.create_index(
        "ix_gateway_operation_unknown",
        "gateway_operation",
        ["ask_again_at"],
        postgresql_where=sa.text("state = 'unknown'"),
    )


def _create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("gateway_payment_id", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ask_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("handled_at", _MOMENT),
        sa.Column("traceparent", sa.String()),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhook"),
    )
    op.create_index("ix_webhook_unhandled", "webhook", ["ask_at"], postgresql_where=sa.text("handled_at IS NULL"))


def _create_ledger() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", "currency", name="pk_ledger_account"),
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("booked_at", _MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("transfer_id", name="pk_ledger_transfer"),
        sa.UniqueConstraint("payment_id", "kind", name="uq_ledger_transfer_payment_id_kind"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.payment_id"], name="fk_ledger_transfer_payment_id"),
        sa.CheckConstraint("kind IN ('captured', 'refunded')", name="ck_ledger_transfer_kind"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("transfer_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", "account", "currency", name="pk_ledger_entry"),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfer.transfer_id"], name="fk_ledger_entry_transfer_id"),
        sa.ForeignKeyConstraint(
            ["account", "currency"], ["ledger_account.name", "ledger_account.currency"], name="fk_ledger_entry_account"
        ),
        sa.CheckConstraint("amount_minor <> 0", name="ck_ledger_entry_amount_minor"),
    )
    for statement in _LEDGER_RULES:
        op.execute(statement)


def downgrade() -> None:
    """Refused: money that moved is not forgotten by a migration."""
    raise NotImplementedError("Restore a backup instead: going back would destroy payments and the ledger.")
