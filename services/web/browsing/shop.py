"""What the public pages show of catalog and inventory: kept in memory, dropped by facts, old rather than nothing."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from jinja2 import Environment
from pydantic import ValidationError

from chassis.facts import CloudEvent, Heard
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.browsing.domain import EventUnknown
from services.web.browsing.seating.house import House, build_house
from services.web.clients.catalog import LONGEST_MARKER, CatalogClient, Event, EventPage
from services.web.clients.inventory import InventoryClient
from services.web.clients.waitingroom import Sale, WaitingroomClient
from services.web.frame.cache import Cache, Cached
from services.web.frame.domain import PageUnknown
from tracing.spans import note

PAGE_SIZE = 24
# Facts and bus messages drop what has changed; these times are for those that were lost.
LIST_SECONDS = 10.0
EVENT_SECONDS = 60.0
SALE_SECONDS = 60.0
PLACES_SECONDS = 5.0
# During an on-sale every answer is out of date at once; so often at most it is asked again.
LEAST_PLACES_SECONDS = 0.25
# Who has an older answer waits so long for a new one: a page with old numbers that says so is better than none.
PATIENCE_SECONDS = 3.0
# The page of an event does not wait longer than this for the waiting room: inventory checks passes whatever a page shows.
PATIENCE_SECONDS = 1.0


class EventFact(Heard):
    """A fact about an event."""

    event_id: UUID


class Shop:
    """Events, their houses, and what is free."""

    def __init__(
        self,
        catalog: CatalogClient,
        inventory: InventoryClient,
        waitingroom: WaitingroomClient,
        templates: Environment,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._inventory = inventory
        self._waitingroom = waitingroom
        self._templates = templates
        # What is dropped when something is said of it.
        hearing = partial(Cache, least_age_seconds=LEAST_PLACES_SECONDS, patience_seconds=PATIENCE_SECONDS, clock=clock)
        self._lists: Cache[tuple[str, str], EventPage] = hearing(name="lists", size=256, ttl_seconds=LIST_SECONDS)
        self._events: Cache[UUID, Event] = hearing(name="events", size=1024, ttl_seconds=EVENT_SECONDS)
        # Most events have no waiting room, and that is kept as well.
        self._sales: Cache[UUID, Sale | None] = hearing(name="sales", size=4096, ttl_seconds=SALE_SECONDS)
        # A great house weighs some megabytes: few, and for long, since geometry never changes.
        self._houses: Cache[tuple[object, ...], House] = Cache(
            name="houses", size=64, ttl_seconds=24 * 3600, clock=clock
        )
        self._free: Cache[UUID, dict[UUID, int]] = hearing(name="free", size=1024, ttl_seconds=PLACES_SECONDS)
        self._taken: Cache[UUID, dict[str, str]] = hearing(name="taken", size=256, ttl_seconds=PLACES_SECONDS)

    async def events(self, query: str, after: str) -> Cached[EventPage]:
        """Events by start, some at a time. Raises PageUnknown for an `after` that no page has led to."""
        if len(after) > LONGEST_MARKER:
            raise PageUnknown
        try:
            return await self._lists.get(
                (query, after), lambda: self._catalog.events(query or None, after or None, PAGE_SIZE)
            )
        except ProviderProblem as problem:
            if problem.problem_code == "cursor_invalid":
                raise PageUnknown from problem
            raise

    async def event(self, event_id: UUID) -> Cached[Event]:
        """One event. Raises EventUnknown."""
        try:
            return await self._events.get(event_id, lambda: self._catalog.event(event_id))
        except ProviderProblem as problem:
            if problem.problem_code == "event_unknown":
                raise EventUnknown from problem
            raise

    async def house(self, event: Event) -> House | None:
        """The seats of an event; None if it has none."""
        reference = event.seat_map
        if reference is None:
            return None
        prices = tuple((one.name, one.price_minor, one.colour) for one in event.classes)

        async def build() -> House:
            return build_house(self._templates, event, await self._catalog.seat_map(reference.seat_map_id))

        return (await self._houses.get((event.event_id, reference.seat_map_id, reference.version, prices), build)).value

    async def free_places(self, event_id: UUID) -> Cached[dict[UUID, int]]:
        """How many places of each class are free."""
        return await self._free.get(event_id, lambda: self._inventory.availability(event_id))

    async def taken_seats(self, event_id: UUID) -> Cached[dict[str, str]]:
        """Which seats are held or sold."""
        return await self._taken.get(event_id, lambda: self._inventory.taken_seats(event_id))

    async def sale(self, event_id: UUID) -> Sale | None:
        """The sale of an event with a waiting room, as it was announced: its numbers are old. None also if nobody can tell now."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await self._sales.get(event_id, lambda: self._announced(event_id))).value
        except (TimeoutError, ProviderUnavailable, ProviderProblem):
            return None

    async def _announced(self, event_id: UUID) -> Sale | None:
        try:
            return await self._waitingroom.sale(event_id)
        except ProviderProblem as problem:
            if problem.problem_code != "sale_unknown":
                raise
            return None

    async def on_sale_scheduled(self, fact: CloudEvent) -> None:
        """An event has a waiting room now, another one, or none any more."""
        event_id = EventFact.model_validate(fact.data).event_id
        note({"onsale.event_id": str(event_id)})
        self.sale_changed(event_id)

    async def on_catalog_fact(self, fact: CloudEvent) -> None:
        """Catalog has said something new of an event."""
        self._lists.drop_all()
        try:
            event_id = EventFact.model_validate(fact.data).event_id
        except ValidationError:
            # The fact is about no single event; the lists that were dropped for it cost little.
            return
        note({"onsale.event_id": str(event_id)})
        self.event_changed(event_id)
        self.places_changed(event_id)

    def doubt_all(self) -> None:
        """Something may have been said that nobody heard here: everything that is kept is asked again."""
        for cache in (self._lists, self._events, self._sales, self._free, self._taken):
            cache.drop_all()

    def sale_changed(self, event_id: UUID) -> None:
        """The waiting room of an event is not what it was."""
        self._sales.drop(event_id)

    def event_changed(self, event_id: UUID) -> None:
        """An event is not what it was."""
        self._events.drop(event_id)

    def places_changed(self, event_id: UUID) -> None:
        """Somebody has taken or given back places of this event."""
        self._free.drop(event_id)
        self._taken.drop(event_id)
