"""The tables of this service: payments, what gateways were asked, what they answered, and the ledger."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlmodel import Field, SQLModel

from chassis.tables import add_chassis_tables, make_registry, moment


class Table(SQLModel, registry=make_registry()):
    """Base of this service's tables."""


class PaymentRow(Table, table=True):
    """An attempt to pay an order; or, without an order, the mark of one that was voided before it was made.

    Triggers (migration 0006) refuse a step that is not in `domain.TRANSITIONS`, other terms, and at the commit one that is
    captured or refunded and not booked so."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("order_id", "attempt"),
        # If one order had two pages at the gateway, both could be paid.
        Index(
            "uq_payment_live_of_order",
            "order_id",
            unique=True,
            postgresql_where=text("state IN ('created', 'authorised', 'captured')"),
        ),
        Index(
            "uq_payment_gateway_payment_id",
            "gateway_payment_id",
            unique=True,
            postgresql_where=text("gateway_payment_id IS NOT NULL"),
        ),
        Index("ix_payment_ask_at", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
        CheckConstraint(
            "state IN ('created', 'authorised', 'captured', 'declined', 'voided', 'refunded')", name="state"
        ),
        CheckConstraint("amount_minor > 0", name="amount_minor"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        # Only a payment that was called off before it was opened may lack its terms.
        CheckConstraint(
            "(order_id IS NULL AND state = 'voided') OR num_nulls(order_id, amount_minor, currency, description,"
            " return_url, pay_by) = 0",
            name="terms",
        ),
        CheckConstraint("(captured_at IS NOT NULL) = (state IN ('captured', 'refunded'))", name="captured_at"),
    )

    payment_id: UUID = Field(primary_key=True)
    order_id: UUID | None = None
    attempt: int
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = None
    description: str | None = None
    return_url: str | None = None
    pay_by: datetime | None = moment(default=None, nullable=True)
    state: str
    gateway_payment_id: str | None = None
    redirect_url: str | None = None
    decline_reason: str | None = None
    captured_at: datetime | None = moment(default=None, nullable=True)
    was_authorised: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    # When the gateway is asked by itself if nothing is heard; null when there is nothing to wait for.
    ask_at: datetime | None = moment(default=None, nullable=True)
    leased_until: datetime | None = moment(default=None, nullable=True)
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    problem: str | None = None
    traceparent: str | None = None
    created_at: datetime = moment(server_default=func.now())


class GatewayOperationRow(Table, table=True):
    """What a gateway was asked to do, under which key. Written before it is asked, as `unknown`."""

    __tablename__ = "gateway_operation"
    __table_args__ = (
        UniqueConstraint("payment_id", "kind"),
        CheckConstraint("kind IN ('authorise', 'capture', 'void', 'refund')", name="kind"),
        CheckConstraint("state IN ('unknown', 'succeeded', 'refused')", name="state"),
        CheckConstraint("(refusal IS NOT NULL) = (state = 'refused')", name="refusal"),
        Index("ix_gateway_operation_unknown", "ask_again_at", postgresql_where=text("state = 'unknown'")),
    )

    key: str = Field(primary_key=True)
    payment_id: UUID = Field(sa_column_args=(ForeignKey("payment.payment_id"),))
    kind: str
    state: str
    attempts: int = 0
    refusal: str | None = None
    ask_again_at: datetime = moment()
    leased_until: datetime | None = moment(default=None, nullable=True)
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    problem: str | None = None
    created_at: datetime = moment(server_default=func.now())
    settled_at: datetime | None = moment(default=None, nullable=True)
    # The span in which the operation was settled.
    settled_in: str | None = None


class PaymentChangeRow(Table, table=True):
    """A step of a payment, when, and in which span: each state is come to at most once. Support reads it."""

    __tablename__ = "payment_change"

    payment_id: UUID = Field(primary_key=True, sa_column_args=(ForeignKey("payment.payment_id"),))
    state: str = Field(primary_key=True)
    reason: str | None = None
    traceparent: str | None = None
    changed_at: datetime = moment(server_default=func.now())


class GatewayAttemptRow(Table, table=True):
    """Tries as the version before writes and reads them: now they are in `work_attempt`. It goes with the release after."""

    __tablename__ = "gateway_attempt"

    key: str = Field(primary_key=True, sa_column_args=(ForeignKey("gateway_operation.key"),))
    attempt: int = Field(primary_key=True)
    asked_at: datetime = moment(server_default=func.now())
    traceparent: str | None = None
    problem: str | None = None
    silent_at: datetime | None = moment(default=None, nullable=True)


class WebhookRow(Table, table=True):
    """A hint from the bank, taken once by its id; work until `handled_at` is set."""

    __tablename__ = "webhook"
    __table_args__ = (
        Index("ix_webhook_unhandled", "ask_at", postgresql_where=text("handled_at IS NULL")),
        Index("ix_webhook_gateway_payment_id", "gateway_payment_id"),
    )

    webhook_id: str = Field(primary_key=True)
    type: str
    gateway_payment_id: str
    attempts: int = 0
    ask_at: datetime = moment()
    leased_until: datetime | None = moment(default=None, nullable=True)
    fence: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    problem: str | None = None
    received_at: datetime = moment(server_default=func.now())
    handled_at: datetime | None = moment(default=None, nullable=True)
    traceparent: str | None = None


class LedgerAccountRow(Table, table=True):
    """An account in one currency."""

    __tablename__ = "ledger_account"

    name: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)


class LedgerTransferRow(Table, table=True):
    """A booking: a capture or a refund of a payment, each at most once."""

    __tablename__ = "ledger_transfer"
    __table_args__ = (
        UniqueConstraint("payment_id", "kind"),
        CheckConstraint("kind IN ('captured', 'refunded')", name="kind"),
    )

    transfer_id: UUID = Field(primary_key=True)
    payment_id: UUID = Field(sa_column_args=(ForeignKey("payment.payment_id"),))
    kind: str
    booked_at: datetime = moment(server_default=func.now())


class LedgerEntryRow(Table, table=True):
    """A line of a booking: debit positive, credit negative. A trigger refuses transfers whose lines do not sum to zero."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        ForeignKeyConstraint(["account", "currency"], ["ledger_account.name", "ledger_account.currency"]),
        CheckConstraint("amount_minor <> 0", name="amount_minor"),
    )

    transfer_id: UUID = Field(primary_key=True, sa_column_args=(ForeignKey("ledger_transfer.transfer_id"),))
    account: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    amount_minor: int = Field(sa_type=BigInteger)


add_chassis_tables(Table.metadata)
