"""Whoever wrote something hears how far a replica must be to show it."""

from uuid import uuid4

from pydantic import SecretStr

from chassis.testing import Harness
from services.inventory.app import create_app
from services.inventory.settings import InventorySettings
from services.inventory.tests.integration.conftest import Shop, publish


async def test_who_holds_places_and_buys_them_hears_how_far_a_replica_must_be_to_show_it(harness: Harness) -> None:
    settings = harness.settings(InventorySettings, sweep_every_seconds=3600)
    replica = SecretStr(settings.database_url.get_secret_value())
    async with harness.running(create_app, settings.model_copy(update={"replica_url": replica})) as app:
        shop = Shop(app, harness, uuid4(), uuid4(), uuid4())
        await publish(shop)
        held = await shop.hold(standing=1)
        sold = await shop.end(held.json()["hold_id"], "commit")
    assert all("Onsale-Pin" in answer.headers for answer in (held, sold))
