"""Accounts answers what its consumers ask, as their pacts say."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import Provided, provided, verify_answers
from services.accounts import queries, service
from services.accounts.app import create_app
from services.accounts.settings import AccountsSettings


class States:
    """Makes true what the consumers' interactions take for granted."""

    def __init__(self, accounts: Provided, database: Database) -> None:
        self._accounts = accounts
        self._database = database

    async def a_guest_who_has_told_nothing(self, given: dict[str, Any]) -> None:
        async with self._database.writer() as tx:
            await queries.insert_guest(tx, UUID(given["person_id"]))

    async def a_person_with_a_name_and_an_address(self, given: dict[str, Any]) -> None:
        await self.a_guest_who_has_told_nothing(given)
        values = {"name": "Ada Lovelace", "email": "ada@example.com", "email_key": "ada@example.com"}
        async with self._database.writer() as tx:
            await queries.change_contact(tx, UUID(given["person_id"]), values)

    async def somebody_who_signed_up(self, given: dict[str, Any]) -> None:
        body = {"email": given["email"], "password": given["password"], "name": "Ada"}
        await self._accounts.do("POST", "/people", caller="web", body=body)

    async def a_session_of_a_guest(self, given: dict[str, Any]) -> None:
        # The consumer has chosen the token that accounts draws by lot.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(service, "_new_refresh_token", lambda: given["refresh_token"])
            await self._accounts.do("POST", "/guests", caller="web", body={})


async def test_accounts_answers_what_its_consumers_ask(harness: Harness) -> None:
    key: Path = harness.keys.key_file("accounts")
    settings = harness.settings(AccountsSettings, signing_key_file=key, argon2_memory_kib=64, argon2_passes=1)
    database = Database(settings)
    async with provided(create_app, settings, harness) as accounts:
        states = States(accounts, database)
        await verify_answers(
            "accounts",
            accounts.url,
            callers=["notifications", "web"],
            states={
                "a guest who has told nothing": states.a_guest_who_has_told_nothing,
                "a session of a guest": states.a_session_of_a_guest,
                "somebody who signed up": states.somebody_who_signed_up,
                "a person with a name and an address": states.a_person_with_a_name_and_an_address,
            },
        )
    await database.close()
