"""Signing up, in and out, on a real database."""

import asyncio
from typing import Any

import jwt
import pytest

from chassis.testing import Harness
from services.accounts.app import create_app
from services.accounts.settings import AccountsSettings
from services.accounts.tests.integration.running import ADA, PASSWORD, Running, code_of


async def test_who_signs_up_is_signed_in_and_known_by_what_they_gave(accounts: Running) -> None:
    response = await accounts.post("/people", **ADA)
    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    signed_in = response.json()
    assert signed_in["name"] == "Ada Lovelace"
    me = (await accounts.me(signed_in["token"])).json()
    assert me == {
        "person_id": signed_in["person_id"],
        "name": "Ada Lovelace",
        "email": "Ada@example.com",
        "guest": False,
        "language": "en",
    }


async def test_a_token_says_who_somebody_is_and_no_more_and_verifies_with_the_published_keys(accounts: Running) -> None:
    signed_in = (await accounts.post("/people", **ADA)).json()
    published = await accounts.http.get("/.well-known/jwks.json", headers={"Authorization": ""})
    assert "max-age=300" in published.headers["cache-control"]
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(published.json()).keys}
    assert len(keys) == 2
    key = keys[jwt.get_unverified_header(signed_in["token"])["kid"]]
    claims = jwt.decode(signed_in["token"], key, algorithms=["EdDSA"], audience="onsale", issuer="accounts")
    assert set(claims) == {"iss", "aud", "sub", "guest", "iat", "exp"}
    assert (claims["sub"], claims["guest"]) == (signed_in["person_id"], False)
    assert claims["exp"] - claims["iat"] == 900
    assert "d" not in published.text.replace("EdDSA", "").replace("kid", "").replace("Ed25519", "").split('"')


async def test_an_address_has_one_account_whatever_its_case(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    again = await accounts.post("/people", **(ADA | {"email": "ADA@EXAMPLE.COM", "name": "Another"}))
    assert code_of(again) == (409, "email_taken")


async def test_of_two_who_sign_up_with_one_address_at_once_one_succeeds(accounts: Running) -> None:
    responses = await asyncio.gather(*(accounts.post("/people", **ADA) for _ in range(5)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody"}, "email_invalid"),
        ({"password": "short"}, "password_too_weak"),
        ({"name": "\u202e"}, "name_invalid"),
        ({"guest": False}, "request_invalid"),
        ({"password": None}, "request_invalid"),
    ],
)
async def test_a_bad_sign_up_is_refused_and_quotes_nothing(
    accounts: Running, changes: dict[str, Any], code: str
) -> None:
    response = await accounts.post("/people", **(ADA | changes))
    assert code_of(response) == (422, code)
    assert "Ada" not in response.text
    assert await accounts.sql("SELECT 1 FROM person") == []


async def test_the_right_password_signs_in_whatever_the_case_of_the_address(accounts: Running) -> None:
    person_id = (await accounts.post("/people", **ADA)).json()["person_id"]
    response = await accounts.post("/sessions", email=" ada@EXAMPLE.com", password=PASSWORD)
    assert response.status_code == 201
    assert response.json()["person_id"] == person_id


async def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    wrong = await accounts.post("/sessions", email="ada@example.com", password="wrong")
    unknown = await accounts.post("/sessions", email="bob@example.com", password=PASSWORD)
    nonsense = await accounts.post("/sessions", email="no address", password=PASSWORD)
    answers = [{**each.json(), "trace_id": ""} for each in (wrong, unknown, nonsense)]
    assert answers[0] == answers[1] == answers[2]
    assert code_of(wrong) == (401, "sign_in_failed")


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_too_many_attempts_are_refused_even_with_the_right_password_until_the_window_ends(
    accounts: Running, email: str
) -> None:
    await accounts.post("/people", **ADA)
    for _ in range(3):
        assert code_of(await accounts.post("/sessions", email=email, password="wrong")) == (401, "sign_in_failed")
    refused = await accounts.post("/sessions", email=email.upper(), password=PASSWORD)
    assert code_of(refused) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 900
    await accounts.sql("UPDATE sign_in_attempts SET window_ends_at = now()")
    after = await accounts.post("/sessions", email="ada@example.com", password=PASSWORD)
    assert after.status_code == 201


async def test_many_attempts_at_once_do_not_get_by_the_bound(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    attempts = (accounts.post("/sessions", email="ada@example.com", password="wrong") for _ in range(12))
    statuses = [response.status_code for response in await asyncio.gather(*attempts)]
    assert (statuses.count(401), statuses.count(429)) == (3, 9)


async def test_a_sign_in_that_succeeds_starts_the_count_anew(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    for password in ("wrong", "wrong", PASSWORD, "wrong", "wrong", PASSWORD):
        response = await accounts.post("/sessions", email="ada@example.com", password=password)
        assert response.status_code == (201 if password == PASSWORD else 401)


async def test_a_refresh_rotates_both_tokens(accounts: Running) -> None:
    first = (await accounts.post("/people", **ADA)).json()
    response = await accounts.post("/sessions/refresh", refresh_token=first["refresh_token"])
    assert response.status_code == 200
    second = response.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["person_id"], second["name"]) == (first["person_id"], "Ada Lovelace")
    assert (await accounts.me(second["token"])).status_code == 200


async def test_reuse_of_a_rotated_token_ends_the_session_for_everybody_who_has_one_of_its_tokens(
    accounts: Running,
) -> None:
    stolen = (await accounts.post("/people", **ADA)).json()["refresh_token"]
    current = (await accounts.post("/sessions/refresh", refresh_token=stolen)).json()["refresh_token"]
    other_session = (await accounts.post("/sessions", email="ada@example.com", password=PASSWORD)).json()
    for token in (stolen, current):
        response = await accounts.post("/sessions/refresh", refresh_token=token)
        assert code_of(response) == (401, "session_ended")
    assert [row["ended_because"] for row in await accounts.sql("SELECT * FROM session WHERE ended_at IS NOT NULL")] == [
        "token_reused"
    ]
    alive = await accounts.post("/sessions/refresh", refresh_token=other_session["refresh_token"])
    assert alive.status_code == 200


async def test_within_the_grace_two_requests_of_one_browser_may_rotate_the_same_token(
    harness: Harness, settings: AccountsSettings
) -> None:
    generous = settings.model_copy(update={"refresh_grace_seconds": 10.0})
    async with harness.running(create_app, generous) as app:
        app.http.headers.update(harness.headers("web", to="accounts"))
        accounts = Running(app.http, generous)
        token = (await accounts.post("/guests")).json()["refresh_token"]
        both = await asyncio.gather(*(accounts.post("/sessions/refresh", refresh_token=token) for _ in range(2)))
        assert [response.status_code for response in both] == [200, 200]
        await accounts.sql("UPDATE refresh_token SET used_at = used_at - interval '11 seconds'")
        late = await accounts.post("/sessions/refresh", refresh_token=token)
        assert code_of(late) == (401, "session_ended")


@pytest.mark.parametrize("token", ["", "unknown", "x" * 900])
async def test_a_token_that_was_never_given_is_a_session_that_has_ended(accounts: Running, token: str) -> None:
    assert code_of(await accounts.post("/sessions/refresh", refresh_token=token)) == (401, "session_ended")
    assert (await accounts.post("/sessions/end", refresh_token=token)).status_code == 204


async def test_an_expired_token_is_refused_and_forgotten(accounts: Running, harness: Harness) -> None:
    token = (await accounts.post("/guests")).json()["refresh_token"]
    await accounts.sql("UPDATE refresh_token SET expires_at = now() - interval '1 second'")
    await accounts.sql("UPDATE session SET created_at = now() - interval '31 days'")
    assert code_of(await accounts.post("/sessions/refresh", refresh_token=token)) == (401, "session_ended")
    async with harness.running(create_app, accounts.settings):  # it tidies when it starts

        async def is_forgotten() -> bool:
            return await accounts.sql("SELECT 1 FROM session") == []

        await harness.eventually(is_forgotten)
    assert await accounts.sql("SELECT 1 FROM refresh_token") == []


async def test_who_signs_out_cannot_refresh(accounts: Running) -> None:
    token = (await accounts.post("/guests")).json()["refresh_token"]
    newer = (await accounts.post("/sessions/refresh", refresh_token=token)).json()["refresh_token"]
    assert (await accounts.post("/sessions/end", refresh_token=newer)).status_code == 204
    assert code_of(await accounts.post("/sessions/refresh", refresh_token=newer)) == (401, "session_ended")


async def test_neither_passwords_nor_refresh_tokens_are_kept_readable(accounts: Running) -> None:
    token = (await accounts.post("/people", **ADA)).json()["refresh_token"]
    (person,) = await accounts.sql("SELECT password_hash FROM person")
    assert person["password_hash"].startswith("$argon2id$")
    (kept,) = await accounts.sql("SELECT token_hash FROM refresh_token")
    assert token.encode() not in kept["token_hash"]
    assert len(kept["token_hash"]) == 32


async def test_a_hash_of_weaker_settings_is_renewed_at_sign_in(harness: Harness, settings: AccountsSettings) -> None:
    for passes in (1, 2):
        now = settings.model_copy(update={"argon2_passes": passes})
        async with harness.running(create_app, now) as app:
            app.http.headers.update(harness.headers("web", to="accounts"))
            accounts = Running(app.http, now)
            await accounts.post("/people", **ADA)
            assert (await accounts.post("/sessions", email=ADA["email"], password=PASSWORD)).status_code == 201
            (person,) = await accounts.sql("SELECT password_hash FROM person")
            assert f",t={passes}," in person["password_hash"]
