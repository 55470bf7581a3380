"""The database itself refuses a secret that is not hashed, a session that comes back, and a rotated token that is new again."""

from alembic import op

from chassis.migrations import add_check, add_rule

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds only."""
    add_rule(
        op,
        "session",
        "session_ends_once",
        on="UPDATE OF ended_at, ended_because",
        when="OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_because) IS DISTINCT FROM (OLD.ended_at, OLD.ended_because)",
        says="this session has ended and does not come back: sign in again",
    )
    add_rule(
        op,
        "refresh_token",
        "token_is_rotated_once",
        on="UPDATE OF used_at",
        when="OLD.used_at IS NOT NULL AND NEW.used_at IS NULL",
        says="this refresh token was rotated and is not new again: the session has a later one",
    )
    add_check(op, "person", "password_is_hashed", "password_hash LIKE '$argon2id$%'")
    add_check(op, "refresh_token", "token_is_hashed", "octet_length(token_hash) = 32")
    add_check(op, "sign_in_attempts", "email_is_hashed", "octet_length(email_hash) = 32")
