"""Accounts after years: 200,000 people and what they signed in with."""

from uuid import UUID

from chassis.db import Transaction
from services.accounts import queries
from services.accounts.app import create_app
from services.accounts.operations import OPERATIONS
from services.accounts.settings import AccountsSettings
from tests.grown.filling import SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

PERSON, SESSION = 2, 31
PEOPLE = 200_000
HASH = "sha256(CAST(CAST(n AS text) AS bytea))"
THEN = f"now() - ({PEOPLE} - n) * interval '10 seconds'"

SOMEBODY = Filled(
    "person",
    PEOPLE,
    {
        "person_id": uid(PERSON, "n"),
        "guest": "n % 5 <> 0",
        "name": "'Somebody'",
        "email": "'somebody-' || n / 3 || '@example.org'",
        "email_key": "'somebody-' || n / 3 || '@example.org'",
        "password_hash": "CASE WHEN n % 5 = 0 THEN '$argon2id$' END",
        "created_at": THEN,
    },
)
SESSIONS = Filled(
    "session", PEOPLE, {"session_id": uid(SESSION, "n"), "person_id": uid(PERSON, "n"), "created_at": THEN}
)
TOKENS = Filled(
    "refresh_token",
    PEOPLE,
    {
        "token_hash": HASH,
        "session_id": uid(SESSION, "n"),
        "issued_at": THEN,
        "expires_at": f"{THEN} + interval '30 days'",
    },
)
TRIES = Filled(
    "sign_in_attempts",
    20_000,
    {"email_hash": HASH, "attempts": "1", "window_ends_at": "now() + interval '15 minutes'"},
)


async def reads(tx: Transaction) -> None:
    """What signing in reads."""
    await queries.registered_with(tx, "somebody-7@example.org")
    await queries.session_of_token(tx, bytes(32))
    await queries.token_for_rotation(tx, bytes(32), 10)
    await queries.person(tx, UUID(uid_of(PERSON, 7)))


GREW = Grew(
    create_app,
    AccountsSettings,
    Grown((SOMEBODY, SESSIONS, TOKENS, TRIES, *of_the_chassis(uid(PERSON, "n"))), SMALL_OF_THE_CHASSIS),
    OPERATIONS,
    {
        "GET /people/me": [Ask("/people/me", UUID(uid_of(PERSON, 7)))],
        "GET /people/{person_id}/contact": [Ask(f"/people/{uid_of(PERSON, 7)}/contact")],
        "GET /.well-known/jwks.json": [Ask("/.well-known/jwks.json")],
    },
    reads,
)
