"""Catalog answers what its consumers ask, as their pacts say."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import pytest

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import provided, verify_answers
from services.catalog import importing
from services.catalog.app import create_app
from services.catalog.domain import EventDraft, SeatingPlan
from services.catalog.importers.reading import read_file
from services.catalog.importing import Importer
from services.catalog.settings import CatalogSettings
from services.catalog.tests.examples import as_file, event, plan, seated_event, whole_event


@dataclass(frozen=True)
class Chosen(EventDraft):
    """An event whose id the consumer has chosen, instead of following from its identifier."""

    chosen: str = ""

    @property
    def event_id(self) -> UUID:
        return UUID(self.chosen)


class States:
    """Makes true what the consumers' interactions take for granted, by importing files as organisers do."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    async def an_event_on_sale(self, given: dict[str, Any]) -> None:
        titles = {"name": given["title"]} if "title" in given else {}
        await self._import(event(identifier=given["event_id"], **titles), given["event_id"])

    async def an_event_on_sale_with_doors(self, given: dict[str, Any]) -> None:
        doors = {"doorTime": "2031-06-20T19:00:00+02:00"}
        await self._import(event(identifier=given["event_id"], **doors), given["event_id"])

    async def several_events_on_sale(self, given: dict[str, Any]) -> None:
        for event_id in given["event_ids"]:
            await self.an_event_on_sale({"event_id": event_id})

    async def a_complete_event(self, given: dict[str, Any]) -> None:
        await self._import(whole_event(identifier=given["event_id"], name=given["title"]), given["event_id"])

    async def two_complete_events(self, given: dict[str, Any]) -> None:
        """The later one has not moved, and is on sale already."""
        earlier, later = given["event_ids"]
        offers = [{**offer, "validFrom": None} for offer in whole_event()["offers"]]
        moments = {"doorTime": None, "startDate": "2031-06-28T20:15:00+02:00", "endDate": "2031-06-28T23:00:00+02:00"}
        as_planned = {"eventStatus": "EventScheduled", "previousStartDate": None, "offers": offers, **moments}
        again = whole_event(identifier=later, name=f"{given['title']} again", **as_planned)
        # Loaded before the earlier one, so that the list is seen to be in the order of the events.
        await self._import(again, later)
        await self.a_complete_event({"event_id": earlier, "title": given["title"]})

    async def an_event_that_is_not_on_sale(self, given: dict[str, Any]) -> None:
        await self._import(event(identifier=given["event_id"], **{"onsale:onSale": False}), given["event_id"])

    async def an_event_whose_sale_lies_ahead(self, given: dict[str, Any]) -> None:
        offer = {"name": "Standing", "price": "12.50", "priceCurrency": "EUR", "inventoryLevel": 40}
        later = offer | {"availability": "PreSale", "validFrom": "2031-01-10T10:00:00+01:00"}
        await self._import_event(given, offers=later)

    async def an_event_that_is_cancelled(self, given: dict[str, Any]) -> None:
        await self._import_event(given, eventStatus="https://schema.org/EventCancelled")

    async def an_event_that_has_moved(self, given: dict[str, Any]) -> None:
        before = "2031-05-20T20:00:00+02:00"
        await self._import_event(given, eventStatus="EventRescheduled", previousStartDate=before)

    async def _import_event(self, given: dict[str, Any], **says: Any) -> None:
        titles = {"name": given["title"]} if "title" in given else {}
        await self._import(event(identifier=given["event_id"], **titles, **says), given["event_id"])

    async def a_seat_map(self, given: dict[str, Any]) -> None:
        # The consumer has chosen the id, which otherwise follows from the plan.
        house = plan(name=f"House {given['seat_map_id']}")
        house["zones"][0]["rows"][1]["row_number_position"] = "start"
        rows = [
            {
                "row_number": letter,
                "row_number_position": place,
                "position": {"x": 10, "y": y},
                "seats": [
                    {
                        "seat_guid": f"{letter}{number}",
                        "seat_number": str(number),
                        "position": {"x": 0.5, "y": 2},
                        "category": "Circle",
                    }
                ],
            }
            for letter, number, place, y in (("G", 7, "end", 5), ("H", 8, None, 25))
        ]
        house["zones"].append({"name": "Gallery", "position": {"x": 120, "y": 5}, "rows": rows})
        corners = [{"x": 0, "y": 0.5}, {"x": 100, "y": 0}, {"x": 50, "y": 9}]
        at = {"position": {"x": 0.5, "y": 80}}
        house["zones"][0]["areas"] = [
            {
                **at,
                "shape": "polygon",
                "polygon": {"points": corners},
                "color": "#dddddd",
                "border_color": "#222222",
                "text": {"text": "STAGE", "position": {"x": 50, "y": 5}, "color": "#111111"},
            },
            {**at, "shape": "circle", "circle": {"radius": 9}},
            {**at, "width": 100, "height": 10},
            {**at, "shape": "text", "text": {"text": "EXIT", "position": {"x": 1, "y": 1}}},
        ]
        content = read_file(as_file(house))
        assert isinstance(content, SeatingPlan)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importing, "stable_id", lambda *_parts: UUID(given["seat_map_id"]))
            await self._importer.import_seating_plan(content)

    async def an_event_with_seats(self, given: dict[str, Any]) -> None:
        await self.a_seat_map(given)
        offers = [
            {
                "name": name,
                "price": 30,
                "priceCurrency": "EUR",
                "description": "Soft seats.",
                "onsale:colour": "#4c6ef5",
            }
            for name in ("Stalls", "Circle")
        ]
        house = {"onsale:seatingPlan": f"House {given['seat_map_id']}", "doorTime": "2031-06-20T19:00:00+02:00"}
        document = seated_event(identifier=given["event_id"], offers=offers, **house)
        await self._import(document, given["event_id"])

    async def _import(self, document: dict[str, Any], event_id: str) -> None:
        drafts = read_file(as_file(document))
        assert isinstance(drafts, list)
        (draft,) = drafts
        values = {each.name: getattr(draft, each.name) for each in fields(draft)}
        await self._importer.import_events([Chosen(**values, chosen=event_id)])


async def test_catalog_answers_what_its_consumers_ask(harness: Harness) -> None:
    settings = harness.settings(CatalogSettings)
    database = Database(settings)
    states = States(Importer(database))
    async with provided(create_app, settings, harness) as catalog:
        await verify_answers(
            "catalog",
            catalog.url,
            callers=["orders", "web"],
            states={
                "a seat map": states.a_seat_map,
                "an event with seats": states.an_event_with_seats,
                "several events on sale": states.several_events_on_sale,
                "an event of which everything is told": states.a_complete_event,
                "two events of which everything is told": states.two_complete_events,
                "an event on sale": states.an_event_on_sale,
                "an event that has moved": states.an_event_that_has_moved,
                "an event that is cancelled": states.an_event_that_is_cancelled,
                "an event whose sale lies ahead": states.an_event_whose_sale_lies_ahead,
                "an event on sale with doors": states.an_event_on_sale_with_doors,
                "an event that is not on sale": states.an_event_that_is_not_on_sale,
            },
        )
    await database.close()
