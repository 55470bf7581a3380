"""Catalog's database went back in time, and the others know newer versions: with what the guide says, they hear catalog again."""

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from chassis.settings import ServiceSettings
from chassis.testing import Harness
from services.catalog.app import create_app as create_catalog
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import event
from services.catalog.tests.integration.test_importing import load_documents
from services.inventory.app import create_app as create_inventory
from services.inventory.settings import InventorySettings
from services.orders.app import create_app as create_orders
from services.orders.settings import OrdersSettings
from services.tickets.app import create_app as create_tickets
from services.tickets.settings import TicketsSettings

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "production.md"
NOWHERE = "http://127.0.0.1:9"
TITLES = 'SELECT array_agg(title ORDER BY title COLLATE "C") FROM event'


def said_to(database: str) -> list[str]:
    """The guide's statements for a database: what follows its name in a comment, up to the next one."""
    section = GUIDE.read_text().partition("### Catalog back in time")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    parts = re.findall(r"^-- in (\w+)[^\n]*\n(.*?)(?=^-- in |\Z)", block, re.DOTALL | re.MULTILINE)
    return [statements for name, statements in parts if name == database]


async def ask(settings: ServiceSettings, query: str) -> Any:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def put_aside(settings: CatalogSettings, harness: Harness) -> CatalogSettings:
    """A copy of catalog's database as it is now, as a backup would bring it back later."""
    url = urlsplit(settings.database_url.get_secret_value())
    backup = urlsplit(harness.database_url("catalog"))
    admin = await asyncpg.connect(url._replace(path="/postgres").geturl())
    try:
        await admin.execute(f'DROP DATABASE "{backup.path[1:]}"')
        await admin.execute(f'CREATE DATABASE "{backup.path[1:]}" TEMPLATE "{url.path[1:]}"')
    finally:
        await admin.close()
    return harness.settings(CatalogSettings, database_url=backup.geturl())


async def test_what_catalog_says_after_it_went_back_in_time_is_heard(harness: Harness, tmp_path: Path) -> None:
    catalog = harness.settings(CatalogSettings)
    inventory = harness.settings(InventorySettings)
    orders = harness.settings(OrdersSettings, catalog_url=NOWHERE, inventory_url=NOWHERE, payments_url=NOWHERE)
    key = harness.keys.key_file("tickets")
    tickets = harness.settings(TicketsSettings, signing_key_file=key, accounts_url=NOWHERE)
    hearers: tuple[ServiceSettings, ...] = (inventory, orders, tickets)

    async def all_know(*titles: str) -> bool:
        return [await ask(each, TITLES) for each in hearers] == [sorted(titles)] * len(hearers)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(harness.running(create_inventory, inventory))
        await stack.enter_async_context(harness.running(create_orders, orders))
        await stack.enter_async_context(harness.running(create_tickets, tickets))
        await load_documents(catalog, tmp_path, event())
        restored = await put_aside(catalog, harness)
        async with harness.running(create_catalog, catalog):
            for title in ("Second", "Third", "Fourth"):
                await load_documents(catalog, tmp_path, event(name=title), younger(name=f"{title} of a younger one"))
            await harness.eventually(lambda: all_know("Fourth", "Fourth of a younger one"))

        before_it_runs, once_it_runs = said_to("catalog")
        version = max(await ask(orders, *said_to("orders")), await ask(tickets, *said_to("tickets")))
        numbers = {":seq": await ask(inventory, *said_to("inventory")), ":version": version}
        await do(restored, before_it_runs, numbers)
        async with harness.running(create_catalog, restored):
            again = (event(name="Fourth"), younger(name="Fourth of a younger one"))
            await load_documents(restored, tmp_path, *again)
            await do(restored, once_it_runs, numbers)
            await load_documents(restored, tmp_path, event(name="Fifth"), younger(name="Fifth of a younger one"))
            await harness.eventually(lambda: all_know("Fifth", "Fifth of a younger one"))


def younger(**changes: Any) -> dict[str, Any]:
    """An event that the backup does not know."""
    return event(identifier="younger", **changes)


async def do(settings: ServiceSettings, statements: str, numbers: dict[str, int]) -> None:
    """As `psql -v` would."""
    for name, value in numbers.items():
        statements = statements.replace(name, str(value))
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        await connection.execute(statements)
    finally:
        await connection.close()
