"""What accounts promises of sessions and secrets is kept by the database itself, whatever the code does."""

import pytest

from chassis.testing import Harness

PEOPLE = """
    INSERT INTO person (person_id, guest, name, email, email_key, password_hash)
    SELECT gen_random_uuid(), false, 'Ada', 'a@shop.test', 'a@shop.test', '$argon2id$v=19$';
    INSERT INTO session (session_id, person_id) SELECT gen_random_uuid(), person_id FROM person;
    INSERT INTO refresh_token (token_hash, session_id, expires_at) SELECT sha256('a'), session_id, now() FROM session;
    INSERT INTO sign_in_attempts VALUES (sha256('a'), 1, now())
"""
ENDED = "UPDATE session SET ended_at = now(), ended_because = 'token_reused'"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE session SET ended_at = NULL, ended_because = NULL",
        "UPDATE session SET ended_because = 'signed_out'",
        "UPDATE session SET ended_at = now() + interval '1 hour'",
    ],
)
async def test_a_session_that_has_ended_does_not_come_back(harness: Harness, change: str) -> None:
    said = await harness.refused(harness.database_url("accounts"), PEOPLE, ENDED, change)
    assert said == "this session has ended and does not come back: sign in again"


async def test_a_rotated_token_is_not_new_again(harness: Harness) -> None:
    used = ["UPDATE refresh_token SET used_at = now()", "UPDATE refresh_token SET used_at = NULL"]
    assert "is not new again" in await harness.refused(harness.database_url("accounts"), PEOPLE, *used)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE person SET password_hash = 'correct horse battery'", "password_is_hashed"),
        ("UPDATE refresh_token SET token_hash = 'the token itself'", "token_is_hashed"),
        ("UPDATE sign_in_attempts SET email_hash = 'ada@shop.test'", "email_is_hashed"),
    ],
)
async def test_no_secret_is_kept_as_it_is(harness: Harness, change: str, says: str) -> None:
    assert says in await harness.refused(harness.database_url("accounts"), PEOPLE, change)
