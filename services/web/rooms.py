"""Rooms: everybody who looks at the places of one event hears of changes together, told once and a few times a second."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import Field, ValidationError

from chassis.facts import Heard
from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log
from services.web.clients.catalog import Event
from services.web.event_words import unsold
from services.web.limits import Caller
from services.web.live import Listener, Streams, message
from services.web.seatmap import House
from services.web.shop import Shop
from services.web.views import left_words, most_of
from tracing.spans import continued, current_traceparent, link_of

# Changes are gathered for so long before they are told: a hot event changes hundreds of times a second.
GATHER_SECONDS = 0.25
# The bus may lose messages; so often the room compares itself with inventory.
COMPARE_SECONDS = 30.0
# So many spans at most are named as the causes of what is told together.
MOST_CAUSES = 32

_LOG = log(__name__)


class SeatChange(Heard):
    """A seat and what it is now: `free`, `held` or `sold`."""

    seat_id: str
    state: str


class PlacesChanged(Heard):
    """The bus message of inventory."""

    event_id: UUID
    seats: list[SeatChange] = Field(default_factory=list)
    classes: list[UUID] = Field(default_factory=list)


class Room:
    """One event's listeners, and what they have been told."""

    def __init__(self, shop: Shop, event: Event, house: House | None) -> None:
        self._shop = shop
        self._event = event
        self._house = house
        self._listeners: set[Listener] = set()
        self._taken: dict[str, str] = {}
        self._free: dict[UUID, int] = {}
        self._changes: dict[str, str] = {}
        self._places_changed = False
        self._causes: list[str] = []
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_empty(self) -> bool:
        return not self._listeners

    async def join(self, listener: Listener) -> None:
        """Lets a listener hear everything from now on, beginning with a snapshot."""
        if self._task is None:
            await self._compare()
            # Two may have waited for the first comparison.
            if self._task is None:
                # Nothing of who came first: the room outlives their request and its trace.
                self._task = asyncio.create_task(self._run(), context=Context())
        listener.put(message("snapshot", self._told(self._taken, self._free)))
        self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        """Forgets a listener; the last one ends the room's work."""
        self._listeners.discard(listener)
        if self.is_empty and self._task is not None:
            self._task.cancel()
            self._task = None

    def note(self, change: PlacesChanged) -> None:
        """Something changed; it is told soon, with what else changes meanwhile."""
        self._changes.update((seat.seat_id, seat.state) for seat in change.seats)
        self._places_changed = self._places_changed or bool(change.classes)
        if (cause := current_traceparent()) and len(self._causes) < MOST_CAUSES:
            self._causes.append(cause)
        self._woken.set()

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._woken.wait(), COMPARE_SECONDS)
                await asyncio.sleep(GATHER_SECONDS)
                self._woken.clear()
                await self._tell_what_changed()
            except TimeoutError:
                with continued("web.compare_places", None, self._named()):
                    await self._compare()

    def _closed(self) -> dict[str, str]:
        """Why classes are not on sale now, by name: whatever inventory has of them, nobody can choose it."""
        now, zone = datetime.now(UTC), self._event.time_zone
        return {one.name: why.words for one in self._event.classes if (why := unsold(one, zone, now))}

    async def _tell_what_changed(self) -> None:
        """In the trace of the first change, with links to the others that are told together with it."""
        causes, self._causes = self._causes, []
        links = [link for cause in causes[1:] if (link := link_of(cause, "told together"))]
        with continued("web.tell_places", next(iter(causes), None), self._named(), links=links):
            await self._tell_changes()

    def _named(self) -> dict[str, str | int]:
        return {"onsale.event_id": str(self._event.event_id), "onsale.listeners": len(self._listeners)}

    async def _tell_changes(self) -> None:
        changes, self._changes = self._changes, {}
        closed = self._house.seats_of(self._closed()) if self._house else {}
        changes |= dict.fromkeys(changes.keys() & closed.keys(), "sold")
        seats = {seat_id: state for seat_id, state in changes.items() if self._taken.get(seat_id, "free") != state}
        for seat_id, state in seats.items():
            if state == "free":
                self._taken.pop(seat_id, None)
            else:
                self._taken[seat_id] = state
        places: dict[UUID, int] = {}
        if self._places_changed:
            self._places_changed = False
            places = await self._changed_places()
        self._tell(seats, places)

    async def _changed_places(self) -> dict[UUID, int]:
        with suppress(ProviderUnavailable, ProviderProblem):
            free = (await self._shop.free_places(self._event.event_id)).value
            changed = {class_id: left for class_id, left in free.items() if self._free.get(class_id) != left}
            self._free = free
            return changed
        return {}

    async def _compare(self) -> None:
        """Asks what is true, and tells what nobody has told."""
        places = await self._changed_places()
        seats: dict[str, str] = {}
        if self._house is not None:
            with suppress(ProviderUnavailable, ProviderProblem):
                taken = (
                    self._house.seats_of(self._closed()) | (await self._shop.taken_seats(self._event.event_id)).value
                )
                seats = {seat_id: state for seat_id, state in taken.items() if self._taken.get(seat_id) != state}
                seats |= dict.fromkeys(self._taken.keys() - taken.keys(), "free")
                self._taken = dict(taken)
        self._tell(seats, places)

    def _tell(self, seats: Mapping[str, str], places: Mapping[UUID, int]) -> None:
        if not seats and not places:
            return
        # Made once, however many listen.
        told = message("change", self._told(seats, places))
        for listener in self._listeners:
            listener.put(told)

    def _told(self, seats: Mapping[str, str], places: Mapping[UUID, int]) -> dict[str, Any]:
        """Seats by their number in the plan, a tenth of the bytes of their ids."""
        told: dict[str, Any] = {}
        for seat_id, state in seats.items():
            found = self._house.by_seat_id.get(seat_id) if self._house else None
            if found:
                told.setdefault(state, []).append(found[1].index)
        if places:
            most, closed = self._event.max_per_order, self._closed()
            names = {one.class_id: one.name for one in self._event.classes}
            told["places"] = {
                str(class_id): {"most": 0, "words": why}
                if (why := closed.get(names.get(class_id, "")))
                else {"most": most_of(left, most), "words": left_words(left)}
                for class_id, left in places.items()
            }
        return told


class Rooms:
    """The rooms that somebody is in."""

    def __init__(self, shop: Shop, streams: Streams) -> None:
        self._shop = shop
        self._streams = streams
        self._rooms: dict[UUID, Room] = {}

    async def stream(
        self, event_id: UUID, caller: Caller, opened: Callable[[], None] = lambda: None
    ) -> AsyncIterator[bytes]:
        """One browser's stream of an event. Raises EventUnknown, TooManyStreams, ProviderUnavailable before it begins."""
        event = (await self._shop.event(event_id)).value
        house = await self._shop.house(event)
        with self._streams.listener(caller) as listener:
            room = self._rooms.setdefault(event_id, Room(self._shop, event, house))
            try:
                await room.join(listener)
                opened()
                async for told in listener.messages():
                    yield told
            finally:
                room.leave(listener)
                if room.is_empty and self._rooms.get(event_id) is room:
                    del self._rooms[event_id]

    async def on_places_changed(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says that places of an event changed."""
        try:
            change = PlacesChanged.model_validate(payload)
        except ValidationError as error:
            _LOG.warning("a bus message was not understood", problem=str(error.errors(include_input=False)[0]["msg"]))
            return
        self._shop.places_changed(change.event_id)
        room = self._rooms.get(change.event_id)
        if room is not None:
            room.note(change)
