"""The bank's books in SQLite: payments, operations by key, entries, and webhooks on their way.

All calls are short and synchronous on one connection; the process has one event loop, so each method is atomic.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from simulators.bank import domain
from simulators.bank.cards import Behaviour
from simulators.bank.domain import BankError, Operation, Status

SCHEMA = (Path(__file__).parent / "schema.sql").read_text(encoding="utf-8")

_BOOKINGS = {  # operation -> kind of entry, and the sum that it adds to
    Operation.CAPTURE: ("charge", "UPDATE payment SET captured_minor = captured_minor + ? WHERE id = ?"),
    Operation.REFUND: ("refund", "UPDATE payment SET refunded_minor = refunded_minor + ? WHERE id = ?"),
}


@dataclass(frozen=True)
class Opening:
    """What a merchant asks when it opens a payment. `amount_minor` in the smallest unit of `currency` (ISO 4217)."""

    amount_minor: int
    currency: str
    description: str
    reference: str
    return_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Payment(Opening):
    """A payment as the bank knows it."""

    id: str
    key: str
    status: Status
    behaviour: Behaviour | None
    decline_reason: str | None
    awaiting_confirmation: bool
    capture_failures: int
    captured_minor: int
    refunded_minor: int

    @property
    def authorised_minor(self) -> int:
        """How much the payer has ever authorised, whatever became of it."""
        has_decided = self.behaviour is not None and not self.awaiting_confirmation
        return self.amount_minor if has_decided and self.decline_reason is None else 0

    @property
    def has_expired(self) -> bool:
        """Whether the time to pay has passed."""
        return now() >= self.expires_at


@dataclass(frozen=True)
class DueWebhook:
    """A webhook that is to be sent now; `attempts` were made before."""

    delivery_id: int
    body: bytes
    attempts: int


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


class Ledger:
    """The bank's books. `webhook_late_seconds` delays the webhooks of the card that tells late."""

    def __init__(self, path: Path | str, *, webhook_late_seconds: float = 10.0) -> None:
        self._late_seconds = webhook_late_seconds
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # WAL without a flush per commit: a killed process loses nothing, a power cut may lose the last moments.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def is_alive(self) -> bool:
        """Whether the books can be read."""
        return self._db.execute("SELECT count(*) FROM sqlite_master").fetchone() is not None

    # -- payments -----------------------------------------------------------------------------------------------

    def open_payment(self, key: str, opening: Opening) -> tuple[Payment, bool]:
        """The payment of this key and whether it is new. Raises BankError when the key stands for another payment."""
        found = self._one("SELECT * FROM payment WHERE key = ?", key)
        if found is not None:
            same = all(getattr(found, field) == getattr(opening, field) for field in Opening.__dataclass_fields__)
            if not same:
                raise domain.payment_differs()
            return found, False
        if opening.expires_at <= now():
            raise BankError(422, "expired", "`expires_at` lies in the past. Give the payer some time.")
        payment_id = "pay_" + secrets.token_urlsafe(18)
        with self._transaction() as db:
            db.execute(
                "INSERT INTO payment (id, key, amount_minor, currency, description, reference, return_url, expires_at,"
                " status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    payment_id,
                    key,
                    opening.amount_minor,
                    opening.currency,
                    opening.description,
                    opening.reference,
                    opening.return_url,
                    opening.expires_at.astimezone(UTC).isoformat(),
                    Status.REQUIRES_PAYER,
                    now().isoformat(),
                ),
            )
        return self.payment(payment_id), True

    def payment(self, payment_id: str) -> Payment:
        """A payment by the bank's id. Raises BankError 404."""
        found = self._one("SELECT * FROM payment WHERE id = ?", payment_id)
        if found is None:
            raise domain.unknown_payment()
        return found

    def _one(self, statement: str, *parameters: Any) -> Payment | None:
        row = self._db.execute(statement, parameters).fetchone()
        if row is None:
            return None
        fields = dict(row)
        fields.pop("created_at")
        fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
        fields["status"] = Status(fields["status"])
        fields["behaviour"] = Behaviour(fields["behaviour"]) if fields["behaviour"] else None
        fields["awaiting_confirmation"] = bool(fields["awaiting_confirmation"])
        return Payment(**fields)

    # -- the payer ----------------------------------------------------------------------------------------------

    def await_confirmation(self, payment_id: str) -> None:
        """The card needs a second page before the bank decides."""
        with self._transaction() as db:
            self._payable(payment_id)
            db.execute(
                "UPDATE payment SET behaviour = ?, awaiting_confirmation = 1 WHERE id = ?",
                (Behaviour.CONFIRM, payment_id),
            )

    def decide(self, payment_id: str, behaviour: Behaviour, decline_reason: str | None) -> None:
        """Authorises (no reason) or declines a payment. Raises BankError when it is no longer to be paid."""
        status = Status.DECLINED if decline_reason else Status.AUTHORISED
        with self._transaction() as db:
            self._payable(payment_id)
            db.execute(
                "UPDATE payment SET status = ?, behaviour = ?, decline_reason = ?, awaiting_confirmation = 0"
                " WHERE id = ?",
                (status, behaviour, decline_reason, payment_id),
            )
            self._queue_webhook(payment_id, behaviour, status)

    def _payable(self, payment_id: str) -> Payment:
        payment = self.payment(payment_id)
        if payment.status is not Status.REQUIRES_PAYER:
            raise domain.not_possible("paying", payment.status)
        if payment.has_expired:
            raise domain.expired()
        return payment

    # -- the merchant -------------------------------------------------------------------------------------------

    def replay(self, payment_id: str, operation: Operation, key: str) -> Payment | None:
        """The outcome of an operation that was done under this key, or None. Raises what it raised then."""
        row = self._db.execute("SELECT * FROM operation WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        if (row["payment_id"], row["operation"]) != (payment_id, operation):
            raise domain.key_reused()
        if row["refusal"] is not None:
            raise BankError(**json.loads(row["refusal"]))
        return self.payment(payment_id)

    def count_capture_failure(self, payment_id: str) -> None:
        """Counts one more capture that was answered with 500."""
        with self._transaction() as db:
            db.execute("UPDATE payment SET capture_failures = capture_failures + 1 WHERE id = ?", (payment_id,))

    def operate(self, payment_id: str, operation: Operation, key: str) -> Payment:
        """Captures, voids or refunds once per key. Raises BankError; a refused capture is remembered with its key."""
        repeated = self.replay(payment_id, operation, key)
        if repeated is not None:
            return repeated
        payment = self.payment(payment_id)
        target = domain.next_status(operation, payment.status)
        refusal: BankError | None = None
        if operation is Operation.CAPTURE and payment.behaviour is Behaviour.CAPTURE_REFUSED:
            refusal = domain.capture_refused()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO operation (key, payment_id, operation, refusal, created_at) VALUES (?, ?, ?, ?, ?)",
                (key, payment_id, operation, _refusal_json(refusal), now().isoformat()),
            )
            if refusal is None:
                self._book(payment, operation, key, target)
                self._queue_webhook(payment_id, payment.behaviour, target)
        if refusal is not None:
            raise refusal
        return self.payment(payment_id)

    def _book(self, payment: Payment, operation: Operation, key: str, target: Status) -> None:
        self._db.execute("UPDATE payment SET status = ? WHERE id = ?", (target, payment.id))
        if operation not in _BOOKINGS:
            return
        kind, add = _BOOKINGS[operation]
        self._db.execute(
            "INSERT INTO entry (payment_id, kind, key, amount_minor, currency, booked_at) VALUES (?, ?, ?, ?, ?, ?)",
            (payment.id, kind, key, payment.amount_minor, payment.currency, now().isoformat()),
        )
        self._db.execute(add, (payment.amount_minor, payment.id))

    def entries(self, after: int, limit: int) -> list[dict[str, Any]]:
        """Booked charges and refunds in the order of booking, after an entry id."""
        rows = self._db.execute(
            "SELECT entry_id, payment_id, payment.key AS payment_key, reference, kind, entry.key AS key,"
            " entry.amount_minor AS amount_minor, entry.currency AS currency, booked_at"
            " FROM entry JOIN payment ON payment.id = payment_id WHERE entry_id > ? ORDER BY entry_id LIMIT ?",
            (after, limit),
        )
        return [dict(row) for row in rows]

    # -- webhooks on their way ----------------------------------------------------------------------------------

    def _queue_webhook(self, payment_id: str, behaviour: Behaviour | None, status: Status) -> None:
        if behaviour is Behaviour.WEBHOOK_NEVER:
            return
        at = now()
        body = json.dumps(
            {
                "webhook_id": "wh_" + secrets.token_urlsafe(15),
                "type": f"payment.{status}",
                "gateway_payment_id": payment_id,
                "occurred_at": at.isoformat().replace("+00:00", "Z"),
            }
        )
        if behaviour is Behaviour.WEBHOOK_LATE:
            at += timedelta(seconds=self._late_seconds)
        for _ in range(2 if behaviour is Behaviour.WEBHOOK_TWICE else 1):
            self._db.execute(
                "INSERT INTO webhook (webhook_id, body, due_at) VALUES (?, ?, ?)",
                (json.loads(body)["webhook_id"], body, at.timestamp()),
            )

    def due_webhooks(self, limit: int) -> list[DueWebhook]:
        """Webhooks whose time has come, oldest first."""
        rows = self._db.execute(
            "SELECT delivery_id, body, attempts FROM webhook WHERE NOT given_up AND due_at <= ?"
            " ORDER BY due_at, delivery_id LIMIT ?",
            (now().timestamp(), limit),
        )
        return [DueWebhook(row["delivery_id"], row["body"].encode(), row["attempts"]) for row in rows]

    def seconds_to_next_webhook(self) -> float | None:
        """How long until the next webhook is due; None when none waits."""
        row = self._db.execute("SELECT min(due_at) AS due_at FROM webhook WHERE NOT given_up").fetchone()
        return None if row["due_at"] is None else max(0.0, float(row["due_at"]) - now().timestamp())

    def webhook_sent(self, delivery_id: int) -> None:
        """The merchant took it."""
        with self._transaction() as db:
            db.execute("DELETE FROM webhook WHERE delivery_id = ?", (delivery_id,))

    def webhook_failed(self, delivery_id: int, retry_seconds: float | None) -> None:
        """The merchant did not take it: again after some seconds, or never (None)."""
        with self._transaction() as db:
            db.execute(
                "UPDATE webhook SET given_up = ?, attempts = attempts + 1, due_at = ? WHERE delivery_id = ?",
                (retry_seconds is None, now().timestamp() + (retry_seconds or 0), delivery_id),
            )


def _refusal_json(refusal: BankError | None) -> str | None:
    if refusal is None:
        return None
    return json.dumps({"status": refusal.status, "code": refusal.code, "message": str(refusal)})
