"""Accounts with keys of its own, on a database of its own."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.testing import Harness
from services.accounts.app import create_app
from services.accounts.keys import Keyring
from services.accounts.settings import AccountsSettings
from services.accounts.tests.integration.running import Running, write_key


@pytest.fixture
def settings(harness: Harness, tmp_path: Path) -> AccountsSettings:
    """Settings with keys of its own, which it also verifies people with."""
    made = harness.settings(
        AccountsSettings,
        signing_key_file=write_key(tmp_path / "now.pem"),
        next_signing_key_file=write_key(tmp_path / "next.pem"),
        person_keys_url=f"file:{tmp_path / 'people.jwks.json'}",
        argon2_memory_kib=64,
        argon2_passes=1,
        sign_in_attempts=3,
        refresh_grace_seconds=0,
    )
    (tmp_path / "people.jwks.json").write_text(json.dumps(Keyring.load(made).jwks))
    return made


@pytest.fixture
async def accounts(harness: Harness, settings: AccountsSettings) -> AsyncIterator[Running]:
    """The running service."""
    async with harness.running(create_app, settings) as app:
        app.http.headers.update(harness.headers("web", to="accounts"))
        yield Running(app.http, settings)
