import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from services.accounts.domain import TooBusy
from services.accounts.passwords import Passwords
from services.accounts.settings import AccountsSettings


def settings(**values: Any) -> AccountsSettings:
    nowhere: dict[str, Any] = {
        "database_url": "postgresql://nowhere/x",
        "nats_url": "nats://nowhere",
        "key_file": Path("none"),
        "service_keys_file": Path("none"),
        "person_keys_url": "file:none",
    }
    return AccountsSettings(**(nowhere | values))


async def test_a_password_verifies_against_its_hash_and_no_other_does() -> None:
    passwords = Passwords(settings())
    async with passwords.opened():
        kept = await passwords.hash("correct horse battery")
        assert kept.startswith("$argon2id$")
        assert await passwords.verify(kept, "correct horse battery")
        assert not await passwords.verify(kept, "correct horse batterx")
        assert not await passwords.verify("no hash", "correct horse battery")


async def test_a_password_of_nobody_never_verifies_and_is_hashed_all_the_same() -> None:
    passwords = Passwords(settings(argon2_passes=6))
    async with passwords.opened():
        kept = await passwords.hash("correct horse battery")
        spent = []
        for against in (kept, None):
            started = time.process_time()
            assert not await passwords.verify(against, "wrong")
            spent.append(time.process_time() - started)
    assert spent[1] > spent[0] / 3


async def test_of_a_crowd_those_who_would_wait_too_long_are_asked_to_retry() -> None:
    passwords = Passwords(settings(hash_threads=1, hash_queue=2))
    async with passwords.opened():
        outcomes = await asyncio.gather(*(passwords.hash("x" * 10) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(outcome, str) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, TooBusy) for outcome in outcomes) == 7


async def test_the_process_stays_quick_while_passwords_are_hashed() -> None:
    passwords = Passwords(settings(argon2_passes=8))
    async with passwords.opened():
        hashing = asyncio.gather(*(passwords.hash("x" * 10) for _ in range(4)))
        turns = 0
        while not hashing.done():
            await asyncio.sleep(0)
            turns += 1
        await hashing
    assert turns > 100


async def test_a_hash_of_weaker_settings_is_outdated() -> None:
    weaker, stronger = Passwords(settings(argon2_passes=1)), Passwords(settings(argon2_passes=2))
    async with weaker.opened():
        kept = await weaker.hash("correct horse battery")
    assert stronger.is_outdated(kept)
    assert not weaker.is_outdated(kept)


def test_production_does_not_start_without_a_signing_key() -> None:
    with pytest.raises(ValueError, match="signing_key_file is missing"):
        settings(environment="production")
