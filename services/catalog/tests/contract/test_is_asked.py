"""Catalog answers what its consumers ask, as their pacts say."""

from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import provided, verify_answers
from services.catalog.app import create_app
from services.catalog.domain import EventDraft
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, event


@dataclass(frozen=True)
class Chosen(EventDraft):
    """An event whose id the consumer has chosen, instead of following from its identifier."""

    chosen: str

    @property
    def event_id(self) -> UUID:
        return UUID(self.chosen)


class States:
    """Makes true what the consumers' interactions take for granted, by importing files as organisers do."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    async def an_event_on_sale(self, given: dict[str, Any]) -> None:
        await self._import(given, on_sale=True)

    async def an_event_that_is_not_on_sale(self, given: dict[str, Any]) -> None:
        await self._import(given, on_sale=False)

    async def _import(self, given: dict[str, Any], *, on_sale: bool) -> None:
        drafts = read_file(as_file(event(identifier=given["event_id"])))
        assert isinstance(drafts, list)
        (draft,) = drafts
        values = {each.name: getattr(draft, each.name) for each in fields(draft)}
        await self._importer.import_events([replace(Chosen(**values, chosen=given["event_id"]), on_sale=on_sale)])


async def test_catalog_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    database = Database(settings)
    states = States(Importer(database))
    async with provided(create_app, settings, harness) as catalog:
        await verify_answers(
            "catalog",
            catalog.url,
            callers=["orders"],
            states={
                "an event on sale": states.an_event_on_sale,
                "an event that is not on sale": states.an_event_that_is_not_on_sale,
            },
        )
    await database.close()
