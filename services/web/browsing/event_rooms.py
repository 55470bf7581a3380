"""Rooms: everybody who looks at the places of one event hears of changes together, a few times a second."""

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
from services.web.browsing.domain import EventUnknown
from services.web.browsing.seating.house import House
from services.web.browsing.shop import Shop
from services.web.browsing.views import left_words, most_of
from services.web.browsing.words import unsold
from services.web.clients.catalog import Event
from services.web.frame.limits import Caller
from services.web.frame.streams import Listener, Streams, message
from tracing.spans import continued, current_traceparent, link_of

# Changes are gathered for so long before they are sent: a hot event changes hundreds of times a second.
GATHER_SECONDS = 0.25
# The bus may lose messages; so often the room compares itself with inventory.
COMPARE_SECONDS = 30.0
# So many spans at most are named as the causes of what is sent together.
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
    """One event's listeners, what inventory has of it as far as it is known here, and what was sent to them."""

    def __init__(self, shop: Shop, event: Event, house: House | None) -> None:
        self._shop = shop
        self._event = event
        self._house = house
        self._listeners: set[Listener] = set()
        self._taken: dict[str, str] = {}
        self._free: dict[UUID, int] = {}
        self._sent_seats: dict[str, str] = {}
        self._sent_places: dict[UUID, dict[str, Any]] = {}
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
            # Another listener may have joined while this one waited, and have started the task.
            if self._task is None:
                # The task gets an empty context: the room outlives the request, and the trace, of who came first.
                self._task = asyncio.create_task(self._run(), context=Context())
        listener.put(message("snapshot", self._in_words(self._sent_seats, self._sent_places)))
        self._listeners.add(listener)

    def leave(self, listener: Listener) -> None:
        """Forgets a listener; the last one ends the room's work."""
        self._listeners.discard(listener)
        if self.is_empty and self._task is not None:
            self._task.cancel()
            self._task = None

    def note(self, change: PlacesChanged) -> None:
        """Something changed; it is sent soon, with what else changes meanwhile."""
        self._changes.update((seat.seat_id, seat.state) for seat in change.seats)
        self._places_changed = self._places_changed or bool(change.classes)
        if (cause := current_traceparent()) and len(self._causes) < MOST_CAUSES:
            self._causes.append(cause)
        self._woken.set()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        compare_at = clock() + COMPARE_SECONDS
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), compare_at - clock())
            # The room waits before a comparison too: an answer of inventory that the shop keeps may be older than what
            # was sent last.
            await asyncio.sleep(GATHER_SECONDS)
            # Comparisons follow the clock and do not wait for silence: a hot event is never silent.
            if clock() >= compare_at:
                with continued("web.compare_places", None, self._attributes()):
                    await self._compare()
                compare_at = clock() + COMPARE_SECONDS
            if self._woken.is_set():
                self._woken.clear()
                await self._send_what_changed()

    async def _send_what_changed(self) -> None:
        """Sends what changed, in the trace of the first change, with links to the others."""
        causes, self._causes = self._causes, []
        links = [link for cause in causes[1:] if (link := link_of(cause, "told together"))]
        with continued("web.tell_places", next(iter(causes), None), self._attributes(), links=links):
            self._take_changes()
            if self._places_changed:
                self._places_changed = False
                await self._ask_free_places()
            await self._send()

    def _attributes(self) -> dict[str, str | int]:
        return {"onsale.event_id": str(self._event.event_id), "onsale.listeners": len(self._listeners)}

    def _take_changes(self) -> None:
        changes, self._changes = self._changes, {}
        for seat_id, state in changes.items():
            if state == "free":
                self._taken.pop(seat_id, None)
            else:
                self._taken[seat_id] = state

    async def _compare(self) -> None:
        """Asks what is true, and sends what the bus has lost."""
        await self._ask_free_places()
        if self._house is not None:
            await self._ask_taken_seats()
        await self._send()

    async def _ask_free_places(self) -> None:
        with suppress(ProviderUnavailable, ProviderProblem):
            self._free = (await self._shop.free_places(self._event.event_id)).value

    async def _ask_taken_seats(self) -> None:
        with suppress(ProviderUnavailable, ProviderProblem):
            taken = await self._shop.taken_seats(self._event.event_id)
            # An old answer, given while inventory is away, knows less than what was heard since.
            if not taken.stale or self._task is None:
                self._taken = dict(taken.value)

    async def _send(self) -> None:
        """Sends everybody what is otherwise than was sent before, by the event as it is now."""
        is_same_house = await self._look_at_event()
        closed = self._closed()
        seats = (self._house.seats_of(closed) if self._house else {}) | self._taken
        places = self._places(closed)
        if is_same_house:
            news = {seat_id: state for seat_id, state in seats.items() if self._sent_seats.get(seat_id) != state}
            news |= dict.fromkeys(self._sent_seats.keys() - seats.keys(), "free")
            self._put("change", news, {each: of for each, of in places.items() if self._sent_places.get(each) != of})
        else:
            # Seats of another house have other numbers, so pages begin anew.
            self._put("snapshot", seats, places)
        self._sent_seats, self._sent_places = seats, places

    async def _look_at_event(self) -> bool:
        """Reads the event again, which its organiser may have changed. Whether it is the same house.

        An event that cannot be had is taken as it was.
        """
        house = self._house
        with suppress(ProviderUnavailable, ProviderProblem, EventUnknown):
            event = (await self._shop.event(self._event.event_id)).value
            self._house = await self._shop.house(event)
            self._event = event
        return self._house is house

    def _closed(self) -> dict[str, str]:
        """Why classes are not on sale now, by name: whatever inventory has of them, nobody can choose it."""
        now, zone = datetime.now(UTC), self._event.time_zone
        return {one.name: why.words for one in self._event.classes if (why := unsold(one, zone, now))}

    def _places(self, closed: Mapping[str, str]) -> dict[UUID, dict[str, Any]]:
        """What may be chosen of each class, and what is said of it."""
        most = self._event.max_per_order
        names = {one.class_id: one.name for one in self._event.classes}
        return {
            class_id: {"most": 0, "words": why}
            if (why := closed.get(names.get(class_id, "")))
            else {"most": most_of(left, most), "words": left_words(left)}
            for class_id, left in self._free.items()
        }

    def _put(self, name: str, seats: Mapping[str, str], places: Mapping[UUID, dict[str, Any]]) -> None:
        if not seats and not places:
            return
        # The message is made once, however many listen.
        made = message(name, self._in_words(seats, places))
        for listener in self._listeners:
            listener.put(made)

    def _in_words(self, seats: Mapping[str, str], places: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
        """Seats by their number in the plan, a tenth of the bytes of their ids."""
        words: dict[str, Any] = {}
        for seat_id, state in seats.items():
            found = self._house.by_seat_id.get(seat_id) if self._house else None
            if found:
                words.setdefault(state, []).append(found[1].index)
        if places:
            words["places"] = {str(class_id): of for class_id, of in places.items()}
        return words


class EventRooms:
    """The rooms that somebody is in, by event."""

    def __init__(self, shop: Shop, streams: Streams) -> None:
        self._shop = shop
        self._streams = streams
        self._rooms: dict[UUID, Room] = {}

    async def stream(
        self, event_id: UUID, caller: Caller, opened: Callable[[], None] = lambda: None
    ) -> AsyncIterator[bytes]:
        """One browser's stream of an event. Raises EventUnknown, TooManyStreams, ProviderUnavailable as it begins."""
        event = (await self._shop.event(event_id)).value
        house = await self._shop.house(event)
        with self._streams.listener(caller) as listener:
            room = self._rooms.setdefault(event_id, Room(self._shop, event, house))
            try:
                await room.join(listener)
                opened()
                async for sent in listener.messages():
                    yield sent
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
