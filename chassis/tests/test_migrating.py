"""Migrations reach the database by the same address as the service."""

import asyncio
from urllib.parse import urlsplit

import pytest

from chassis.migrated import migrations_of
from chassis.migrations import migrate
from chassis.testing import Harness


@pytest.mark.parametrize("options", ["sslmode=disable", "sslmode=prefer&application_name=migration"])
async def test_an_address_may_have_the_options_of_managed_servers(harness: Harness, options: str) -> None:
    address = urlsplit(harness.database_url("orders"))._replace(query=options).geturl()
    await asyncio.to_thread(migrate, migrations_of("orders"), address)
