"""What people tell about themselves, and who may know it."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.clock import utc_now
from chassis.testing import Harness
from services.accounts.tests.integration.running import ADA, PASSWORD, Running, code_of


async def test_a_guest_is_known_by_nothing_until_they_tell(accounts: Running) -> None:
    guest = (await accounts.post("/guests")).json()
    unknown = {"person_id": guest["person_id"], "name": None, "email": None, "guest": True, "language": "en"}
    assert guest["name"] is None
    assert (await accounts.me(guest["token"])).json() == unknown
    answer = await accounts.tell(guest["token"], name=" Grace  Hopper", email="grace@Example.org")
    assert answer.status_code == 200
    assert answer.json() == unknown | {"name": "Grace Hopper", "email": "grace@example.org"}
    assert (await accounts.me(guest["token"])).json() == answer.json()


async def test_a_guest_cannot_sign_in_and_takes_nobodys_address(accounts: Running) -> None:
    for _ in range(2):
        guest = (await accounts.post("/guests")).json()
        assert (await accounts.tell(guest["token"], name="Ada", email="ada@example.com")).status_code == 200
    assert code_of(await accounts.post("/sessions", email="ada@example.com", password="")) == (401, "sign_in_failed")
    assert (await accounts.post("/people", **ADA)).status_code == 201
    assert (await accounts.post("/sessions", email="ada@example.com", password=PASSWORD)).status_code == 201


async def test_what_is_left_out_of_a_change_stays(accounts: Running) -> None:
    token = (await accounts.post("/people", **ADA)).json()["token"]
    assert (await accounts.tell(token, name="Countess")).json()["email"] == "Ada@example.com"
    assert (await accounts.tell(token, email="countess@example.com")).json()["name"] == "Countess"
    assert (await accounts.tell(token)).json()["name"] == "Countess"
    assert (await accounts.post("/sessions", email="countess@example.com", password=PASSWORD)).status_code == 201


@pytest.mark.parametrize("language", ["de", "de_CH", "fil", "zh_Hant_HK"])
async def test_what_is_sent_to_a_person_knows_their_language(
    accounts: Running, harness: Harness, language: str
) -> None:
    guest = (await accounts.post("/guests")).json()
    changed = await accounts.tell(guest["token"], name="Grace", email="grace@example.org", language=language)
    assert changed.json()["language"] == language
    await accounts.tell(guest["token"], name="Grace Hopper")
    for caller in ("notifications", "tickets"):
        headers = harness.headers(caller, to="accounts")
        contact = await accounts.http.get(f"/people/{guest['person_id']}/contact", headers=headers)
        assert contact.json()["language"] == language


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody"}, "email_invalid"),
        ({"name": " "}, "name_invalid"),
        ({"name": None}, "request_invalid"),
        ({"guest": False}, "request_invalid"),
        ({"language": None}, "request_invalid"),
        ({"language": "de, en;q=0.5"}, "request_invalid"),
        ({"person_id": str(uuid4())}, "request_invalid"),
    ],
)
async def test_a_bad_change_is_refused_and_changes_nothing(
    accounts: Running, changes: dict[str, Any], code: str
) -> None:
    token = (await accounts.post("/people", **ADA)).json()["token"]
    before = (await accounts.me(token)).json()
    assert code_of(await accounts.tell(token, **({"name": "Bad"} | changes))) == (422, code)
    assert (await accounts.me(token)).json() == before


async def test_a_registered_person_cannot_take_the_address_of_another(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    bob = (await accounts.post("/people", email="bob@example.com", password=PASSWORD, name="Bob")).json()
    assert code_of(await accounts.tell(bob["token"], email="ADA@example.com")) == (409, "email_taken")
    assert (await accounts.me(bob["token"])).json()["email"] == "bob@example.com"
    assert (await accounts.tell(bob["token"], email="BOB@example.com")).status_code == 200


async def test_only_notifications_learns_where_mail_goes(accounts: Running, harness: Harness) -> None:
    person_id = (await accounts.post("/people", **ADA)).json()["person_id"]
    path = f"/people/{person_id}/contact"
    asked = {
        caller: await accounts.http.get(path, headers=harness.headers(caller, to="accounts"))
        for caller in ("notifications", "web", "orders")
    }
    assert asked["notifications"].json() == {
        "person_id": person_id,
        "name": "Ada Lovelace",
        "email": "Ada@example.com",
        "order_pass": None,
        "language": "en",
    }
    assert (asked["web"].status_code, asked["orders"].status_code) == (403, 403)


async def test_a_guests_mail_may_hold_a_pass_for_one_order_and_an_accounts_may_not(
    accounts: Running, harness: Harness
) -> None:
    guest = (await accounts.post("/guests")).json()["person_id"]
    account = (await accounts.post("/people", **ADA)).json()["person_id"]
    headers, order_id = harness.headers("notifications", to="accounts"), str(uuid4())
    soon = (utc_now() + timedelta(days=3)).replace(microsecond=0)

    async def pass_of(person_id: str, until: datetime) -> str | None:
        asked = {"order_id": order_id, "pass_until": until.isoformat()}
        found = (await accounts.http.get(f"/people/{person_id}/contact", params=asked, headers=headers)).json()
        given: str | None = found["order_pass"]
        return given

    order_pass = await pass_of(guest, soon)
    assert order_pass is not None
    claims = jwt.decode(order_pass, options={"verify_signature": False})
    assert (claims["sub"], claims["order"], claims["guest"]) == (guest, order_id, True)
    assert claims["exp"] == int(soon.timestamp())
    # It is a token of accounts' own, and opens nothing here.
    assert (await accounts.me(order_pass)).status_code == 401
    far = jwt.decode(str(await pass_of(guest, soon + timedelta(days=9_999))), options={"verify_signature": False})
    assert far["exp"] < (utc_now() + timedelta(days=367)).timestamp()
    assert await pass_of(guest, utc_now() - timedelta(days=1)) is None
    assert await pass_of(account, soon) is None


async def test_nobody_with_this_id_is_a_404(accounts: Running, harness: Harness) -> None:
    headers = harness.headers("notifications", to="accounts")
    response = await accounts.http.get(f"/people/{uuid4()}/contact", headers=headers)
    assert code_of(response) == (404, "person_unknown")


async def test_without_a_persons_token_nobody_is_me(accounts: Running, harness: Harness) -> None:
    forged = harness.person_token(UUID(int=1))
    assert code_of(await accounts.http.get("/people/me")) == (401, "not_authenticated")
    assert code_of(await accounts.me(forged)) == (401, "not_authenticated")


async def test_neither_names_nor_addresses_nor_passwords_reach_logs_or_spans(
    accounts: Running, caplog: pytest.LogCaptureFixture
) -> None:
    spans = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    with caplog.at_level(logging.DEBUG):
        token = (await accounts.post("/people", **ADA)).json()["token"]
        await accounts.post("/people", **ADA)
        bob = (await accounts.post("/people", email="bob@example.com", password=PASSWORD, name="Bob")).json()
        await accounts.tell(bob["token"], email="ada@example.com")
        await accounts.tell(token, name="Ada King", email="ada lovelace")
        await accounts.post("/sessions", email="ada@example.com", password="wrong horse")
        await accounts.post("/sessions", email=["ada@example.com"], password=PASSWORD)
    written = caplog.text + "".join(span.to_json() for span in spans.get_finished_spans())
    assert len(spans.get_finished_spans()) > 10
    for secret in ("ada@", "lovelace", "ada king", "bob", "horse", token.casefold()):
        assert secret not in written.casefold()


async def test_the_database_refuses_what_must_never_be(accounts: Running) -> None:
    await accounts.post("/people", **ADA)
    await accounts.post("/guests")
    for change in (
        "UPDATE person SET password_hash = NULL",
        "UPDATE person SET guest = true WHERE NOT guest",
        "UPDATE person SET name = NULL WHERE NOT guest",
        "UPDATE session SET ended_at = now()",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await accounts.sql(change)
    with pytest.raises(asyncpg.UniqueViolationError):
        await accounts.sql(
            "INSERT INTO person (person_id, guest, name, email, email_key, password_hash) "
            "SELECT gen_random_uuid(), guest, name, email, email_key, password_hash FROM person WHERE NOT guest"
        )
