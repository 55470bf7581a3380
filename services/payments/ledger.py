"""The SQL of the ledger. It is append-only, and the database refuses what does not balance."""

from uuid import UUID

from sqlalchemy import Table, func, select
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Reads, Transaction
from chassis.ids import uuid7
from services.payments.domain import Account, PaymentState
from services.payments.tables import LedgerEntryRow

_TABLES = LedgerEntryRow.metadata.tables
_ACCOUNT: Table = _TABLES["ledger_account"]
_TRANSFER: Table = _TABLES["ledger_transfer"]
_ENTRY: Table = _TABLES["ledger_entry"]


async def book(
    tx: Transaction, payment_id: UUID, step: PaymentState, entries: dict[Account, int], currency: str
) -> None:
    """Books a step of a payment. Raises IntegrityError if that step of this payment was booked before."""
    transfer_id = uuid7()
    accounts = [{"name": account, "currency": currency} for account in entries]
    await tx.execute(insert(_ACCOUNT).on_conflict_do_nothing(), accounts, name="ledger.open_accounts")
    transfer = {"transfer_id": transfer_id, "payment_id": payment_id, "kind": step}
    await tx.execute(insert(_TRANSFER).values(transfer), name="ledger.insert_transfer")
    lines = [
        {"transfer_id": transfer_id, "account": account, "currency": currency, "amount_minor": amount_minor}
        for account, amount_minor in entries.items()
    ]
    await tx.execute(insert(_ENTRY), lines, name="ledger.insert_entries")


async def balances(reads: Reads) -> dict[tuple[str, str], int]:
    """The balance of each (account, currency), debit positive, in minor units."""
    total = func.sum(_ENTRY.c.amount_minor).label("total_minor")
    statement = select(_ENTRY.c.account, _ENTRY.c.currency, total).group_by(_ENTRY.c.account, _ENTRY.c.currency)
    rows = (await reads.execute(statement, name="ledger.balances")).mappings()
    return {(row["account"], row["currency"]): int(row["total_minor"]) for row in rows}
