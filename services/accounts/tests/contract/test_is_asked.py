"""Accounts answers what its consumers ask, as their pacts say."""

import secrets
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.ids import uuid7
from chassis.testing import Harness
from contracts.provider import Provided, provided, verify_answers
from contracts.states import ForOneRequest, refusing
from services.accounts import queries, service
from services.accounts.app import create_app
from services.accounts.domain import TooBusy
from services.accounts.passwords import Passwords
from services.accounts.settings import AccountsSettings

ATTEMPTS = 3
TOKEN_SECONDS = 900


class States:
    """Makes true what the consumers' interactions take for granted."""

    def __init__(self, accounts: Provided, database: Database, briefly: ForOneRequest) -> None:
        self._accounts = accounts
        self._database = database
        self._briefly = briefly

    async def a_guest_without_details(self, given: dict[str, Any]) -> None:
        async with self._database.writer() as tx:
            await queries.insert_guest(tx, UUID(given["person_id"]), uuid7(), secrets.token_bytes(32), TOKEN_SECONDS)

    async def a_person_with_a_name_and_an_address(self, given: dict[str, Any]) -> None:
        await self.a_guest_without_details(given)
        values = {"name": "Ada Lovelace", "email": "ada@example.com", "email_key": "ada@example.com", "language": "de"}
        async with self._database.writer() as tx:
            await queries.change_contact(tx, UUID(given["person_id"]), values)

    async def somebody_who_signed_up(self, given: dict[str, Any]) -> None:
        body = {"email": given["email"], "password": given["password"], "name": "Ada"}
        await self._accounts.do("POST", "/people", caller="web", body=body)

    async def two_who_signed_up(self, given: dict[str, Any]) -> None:
        await self.somebody_who_signed_up(given)
        # The other one has the id that the consumer has chosen, instead of one that accounts makes.
        own = f"{given['person_id']}@example.com"
        values = {"guest": False, "name": "Bob", "email": own, "email_key": own, "password_hash": "$argon2id$none"}
        async with self._database.writer() as tx:
            await queries.insert_person(tx, {"person_id": UUID(given["person_id"]), **values})

    async def many_wrong_passwords(self, given: dict[str, Any]) -> None:
        body = {"email": given["email"], "password": "wrong horse battery"}
        headers = {"Authorization": "Bearer web"}
        for _ in range(ATTEMPTS):
            refused = await self._accounts.http.post("/sessions", json=body, headers=headers)
            assert refused.status_code == 401, refused.text

    async def very_many_who_sign_in(self, _given: dict[str, Any]) -> None:
        self._briefly.change(Passwords, "hash", refusing(TooBusy))
        self._briefly.change(Passwords, "verify", refusing(TooBusy))

    async def a_session_of_a_guest(self, given: dict[str, Any]) -> None:
        # The consumer has chosen the token that accounts draws by lot.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(service, "_new_refresh_token", lambda: given["refresh_token"])
            await self._accounts.do("POST", "/guests", caller="web", body={})


async def test_accounts_answers_what_its_consumers_ask(harness: Harness) -> None:
    key: Path = harness.keys.key_file("accounts")
    settings = harness.settings(
        AccountsSettings,
        signing_key_file=key,
        argon2_memory_kib=64,
        argon2_passes=1,
        sign_in_attempts=ATTEMPTS,
        token_lives_seconds=TOKEN_SECONDS,
    )
    database = Database(settings)
    briefly = ForOneRequest()
    async with provided(lambda given: briefly.around(create_app(given)), settings, harness) as accounts:
        states = States(accounts, database, briefly)
        await verify_answers(
            "accounts",
            accounts.url,
            callers=["notifications", "tickets", "web"],
            states={
                "a guest who has told nothing": states.a_guest_without_details,
                "a session of a guest": states.a_session_of_a_guest,
                "many wrong passwords for an address": states.many_wrong_passwords,
                "two who signed up": states.two_who_signed_up,
                "very many who sign in at once": states.very_many_who_sign_in,
                "somebody who signed up": states.somebody_who_signed_up,
                "a person with a name and an address": states.a_person_with_a_name_and_an_address,
            },
        )
    await database.close()
