"""Caught messages in SQLite, the newest few thousand of them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MAX_MESSAGES = 5_000
MAX_BYTES = 500_000_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS recipient (
    message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    PRIMARY KEY (message_id, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recipient_address ON recipient (address, message_id);
"""


@dataclass(frozen=True)
class Caught:
    """A message as it came over SMTP: its envelope and its bytes."""

    id: int
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class Store:
    """Keeps messages. Nothing is deduplicated: what was sent twice is there twice."""

    def __init__(self, path: Path | str, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def add(self, sender: str, recipients: Sequence[str], content: bytes) -> int:
        """Keeps a message and drops the oldest ones beyond the bounds. Returns its id."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            inserted = self._db.execute(
                "INSERT INTO message (received_at, sender, size_bytes, content) VALUES (?, ?, ?, ?)",
                (datetime.now(UTC).isoformat(), sender, len(content), content),
            )
            message_id = int(inserted.lastrowid or 0)
            self._db.executemany(
                "INSERT OR IGNORE INTO recipient (message_id, address) VALUES (?, ?)",
                [(message_id, address.lower()) for address in recipients],
            )
            self._forget_oldest(message_id)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return message_id

    def _forget_oldest(self, newest: int) -> None:
        self._db.execute("DELETE FROM message WHERE id <= ?", (newest - self._max_messages,))
        (total,) = self._db.execute("SELECT coalesce(sum(size_bytes), 0) FROM message").fetchone()
        while total > self._max_bytes:
            row = self._db.execute("SELECT id, size_bytes FROM message WHERE id < ? ORDER BY id", (newest,)).fetchone()
            if row is None:
                return
            self._db.execute("DELETE FROM message WHERE id = ?", (row[0],))
            total -= row[1]

    def get(self, message_id: int) -> Caught | None:
        """One message, or None."""
        row = self._db.execute(
            "SELECT id, received_at, sender, content FROM message WHERE id = ?", (message_id,)
        ).fetchone()
        return None if row is None else self._caught(row)

    def after(self, message_id: int, to: str | None, limit: int) -> list[Caught]:
        """Messages that came after an id, in the order of coming; `to` keeps those for one address."""
        statement = (
            "SELECT id, received_at, sender, content FROM message WHERE id > :after"
            " AND (:to IS NULL OR id IN (SELECT message_id FROM recipient WHERE address = :to)) ORDER BY id LIMIT :limit"
        )
        return self._many(statement, {"after": message_id, "to": _folded(to), "limit": limit})

    def newest(self, before: int | None, to: str | None, limit: int) -> list[Caught]:
        """Messages that came before an id (None: from the newest), newest first."""
        statement = (
            "SELECT id, received_at, sender, content FROM message WHERE (:before IS NULL OR id < :before)"
            " AND (:to IS NULL OR id IN (SELECT message_id FROM recipient WHERE address = :to))"
            " ORDER BY id DESC LIMIT :limit"
        )
        return self._many(statement, {"before": before, "to": _folded(to), "limit": limit})

    def _many(self, statement: str, parameters: dict[str, str | int | None]) -> list[Caught]:
        return [self._caught(row) for row in self._db.execute(statement, parameters)]

    def _caught(self, row: tuple[int, str, str, bytes]) -> Caught:
        found = self._db.execute("SELECT address FROM recipient WHERE message_id = ? ORDER BY address", (row[0],))
        return Caught(row[0], datetime.fromisoformat(row[1]), row[2], tuple(address for (address,) in found), row[3])


def _folded(address: str | None) -> str | None:
    # Nobody's mail server tells Ada@ from ada@.
    return None if address is None else address.lower()
