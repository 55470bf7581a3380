"""Faults of web to practise on. Loaded only when one is switched on (chassis/drills.py)."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

from pydantic import ValidationError

from chassis import edge, http
from chassis.drills import Faults, Switch
from chassis.facts import CloudEvent
from chassis.http import expect
from services.web.browsing.event_rooms import EventRoom, PlacesChanged
from services.web.browsing.shop import EventFact, Shop
from services.web.buying.turns import MOST_OF_AN_EVENT, Turns
from services.web.clients.catalog import EventPage
from services.web.clients.tickets import GET_PDF, PdfFormat, TicketsClient
from services.web.frame.cache import Cached
from tracing.spans import note

TRIES = 30
A_THOUSAND = 1000.0
# The author of this fault took the number for kilobytes.
SMALL_BODY_BYTES = 256
QUIET_SECONDS = 1.0


def ask_for_each_card(faults: Faults) -> None:
    """The list is to say what is nearly sold out: somebody asks for each class of each event, one after the other."""

    async def events(self: Shop, query: str, after: str) -> Cached[EventPage]:
        listed: Cached[EventPage] = await good(self, query, after)
        for each in listed.value.items:
            event = await self._catalog.event(each.event_id)
            for one in event.classes:
                left = await self._inventory.availability(event.event_id)
                if one.kind == "seated" and left.get(one.class_id, 0) > 0:
                    await self._inventory.taken_seats(event.event_id)
        return listed

    good = faults.replace(Shop, "events", events)


def try_until_it_works(faults: Faults) -> None:
    """A flaky provider spoilt somebody's day: every call is now tried thirty times, at once, at the provider's cost."""
    faults.replace(http, "ATTEMPTS", TRIES)
    faults.replace(http, "BACKOFF_SECONDS", 0.0)
    faults.replace(http, "BUDGET_MAX", A_THOUSAND)


def download_without_a_person(faults: Faults) -> None:
    """The download was written anew, and the header that says for whom was forgotten."""

    async def pdf(client: TicketsClient, token: str, order_id: UUID, pdf_format: PdfFormat) -> bytes:
        del token
        address = GET_PDF.address(order_id=order_id)
        response = await client._http.request(  # noqa: SLF001  # it stands in the client's place
            "GET", address, params={"format": pdf_format}, extensions={"route": GET_PDF.path}
        )
        return expect(response, 200, provider=client.provider).content

    faults.replace(TicketsClient, "pdf", pdf)


def limit_in_the_wrong_unit(faults: Faults) -> None:
    """Forms were to have at most 256 kilobytes, and have at most 256 bytes."""
    faults.replace(edge, "MAX_BODY_BYTES", SMALL_BODY_BYTES)


def drop_by_another_key(faults: Faults) -> None:
    """Events are kept by their ids, and dropped by the texts of their ids: nothing is dropped, and nobody notices."""

    async def on_catalog_fact(shop: Shop, fact: CloudEvent) -> None:
        shop._lists.drop_all()  # noqa: SLF001  # it stands in the shop's place
        try:
            event_id = EventFact.model_validate(fact.data).event_id
        except ValidationError:
            return
        note({"onsale.event_id": str(event_id)})
        shop._events.drop(str(event_id))  # type: ignore[arg-type]  # noqa: SLF001  # that is the fault
        shop.places_changed(event_id)

    faults.replace(Shop, "on_catalog_fact", on_catalog_fact)


def one_line_for_all(faults: Faults) -> None:
    """Whoever comes first is served first, somebody thought, and forgot that one event can bring everybody."""

    def of_event(turns: Turns, _event_id: UUID) -> asyncio.Semaphore:
        return turns._events.setdefault(UUID(int=0), asyncio.Semaphore(MOST_OF_AN_EVENT))  # noqa: SLF001  # it stands in for a method

    faults.replace(Turns, "_of_event", of_event)


def gather_until_it_is_quiet(faults: Faults) -> None:
    """Changes are sent when none has come for a second. On an event that everybody wants one comes always."""

    def note_change(room: EventRoom, change: PlacesChanged) -> None:
        good(room, change)
        room._send_at = room._ask_at = time.monotonic() + QUIET_SECONDS  # noqa: SLF001  # that is the fault

    good = faults.replace(EventRoom, "note", note_change)


SWITCHES: Mapping[str, Switch] = {
    "ask-for-each-card": ask_for_each_card,
    "try-until-it-works": try_until_it_works,
    "download-without-a-person": download_without_a_person,
    "limit-in-the-wrong-unit": limit_in_the_wrong_unit,
    "drop-by-another-key": drop_by_another_key,
    "one-line-for-all": one_line_for_all,
    "gather-until-it-is-quiet": gather_until_it_is_quiet,
}
