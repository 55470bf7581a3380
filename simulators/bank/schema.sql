-- The bank's books. Money: integer minor units beside an ISO 4217 code. Times: ISO 8601 in UTC; due_at: Unix seconds.
CREATE TABLE IF NOT EXISTS payment (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    description TEXT NOT NULL,
    reference TEXT NOT NULL,
    return_url TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    status TEXT NOT NULL,
    behaviour TEXT,
    decline_reason TEXT,
    awaiting_confirmation INTEGER NOT NULL DEFAULT 0,
    capture_failures INTEGER NOT NULL DEFAULT 0,
    captured_minor INTEGER NOT NULL DEFAULT 0,
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    CHECK (captured_minor IN (0, amount_minor)),
    CHECK (captured_minor - refunded_minor >= 0 AND refunded_minor >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS operation (
    key TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payment (id),
    operation TEXT NOT NULL,
    refusal TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL REFERENCES payment (id),
    kind TEXT NOT NULL CHECK (kind IN ('charge', 'refund')),
    key TEXT NOT NULL UNIQUE,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    booked_at TEXT NOT NULL
) STRICT;
-- One charge and at most one refund per payment: nobody is charged twice, whatever a merchant repeats.
CREATE UNIQUE INDEX IF NOT EXISTS one_entry_of_a_kind ON entry (payment_id, kind);
CREATE TABLE IF NOT EXISTS webhook (
    delivery_id INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id TEXT NOT NULL,
    body TEXT NOT NULL,
    given_up INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS webhook_due ON webhook (due_at) WHERE NOT given_up;
