"""Rooms of events: everybody who looks at the places of one event hears of changes together, a few times a second."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from chassis.bus import understood
from chassis.facts import Heard
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.browsing.domain import EventUnknown
from services.web.browsing.seating.house import House
from services.web.browsing.shop import LEAST_PLACES_SECONDS, Shop
from services.web.browsing.views import left_words, most_of
from services.web.browsing.words import unsold
from services.web.clients.catalog import Event
from services.web.frame.cache import Cache
from services.web.frame.channel import Channel
from services.web.frame.rooms import Room, Rooms
from tracing.spans import continued, current_traceparent, link_of

# The bus may lose messages; so often a room compares itself with inventory.
COMPARE_SECONDS = 30.0
# A room that could not learn which seats are taken asks again so often.
ASK_AGAIN_SECONDS = 2.0
# What it says instead of them: pages leave their seats as they are.
UNKNOWN = {"seats": "unknown"}
# An answer of inventory that the shop keeps may be so old: what changed later is not in it.
SETTLE_SECONDS = LEAST_PLACES_SECONDS
# So many spans at most are named as the causes of what is sent together.
MOST_CAUSES = 32
# What is told to those who ask from time to time: for so long it is made once, however many ask.
TOLD_SECONDS = 1.0
MOST_TOLD = 256


class SeatChange(Heard):
    """A seat and what it is now: `free`, `held` or `sold`."""

    seat_id: str
    state: str


class PlacesChanged(Heard):
    """The bus message of inventory."""

    event_id: UUID
    seats: list[SeatChange] = Field(default_factory=list)
    classes: list[UUID] = Field(default_factory=list)


class EventRoom(Room):
    """What inventory has of an event as far as it is known here, and what was sent of it.

    Seats that change are sent at once, and then gathered for a moment: a hot event changes hundreds of times a second. How many
    places are left has to be asked for, which waits until an answer cannot be older than the change.
    """

    def __init__(self, shop: Shop, event: Event, house: House | None) -> None:
        self._shop = shop
        self._event = event
        self._house = house
        self._taken: dict[str, str] = {}
        self._free: dict[UUID, int] = {}
        self._sent_seats: dict[str, str] = {}
        self._sent_places: dict[UUID, dict[str, Any]] = {}
        self._changes: dict[str, str] = {}
        self._causes: list[str] = []
        self._woken = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        # When what has changed is to be sent, and when is to be asked how many places are left; None: nothing is.
        self._send_at: float | None = None
        self._ask_at: float | None = None
        self._sent_at = float("-inf")
        self.has_learned = False
        self._knows_seats = house is None
        self.channel = Channel(self._whole)

    def note(self, change: PlacesChanged) -> None:
        """Something changed; it is sent soon, with what else changes meanwhile."""
        now = self._clock()
        if change.seats:
            self._changes.update((seat.seat_id, seat.state) for seat in change.seats)
            self._send_at = self._send_at or max(now, self._sent_at + self.pause_seconds)
        if change.classes:
            self._ask_at = self._ask_at or now + SETTLE_SECONDS
        if (cause := current_traceparent()) and len(self._causes) < MOST_CAUSES:
            self._causes.append(cause)
        self._woken.set()

    async def run(self) -> None:
        """Sends what changes, and compares by the clock: a hot event is never silent."""
        compare_at = self._clock() + self._compare_seconds
        while True:
            due = min(each for each in (self._send_at, self._ask_at, compare_at) if each is not None)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(0.0, due - self._clock()))
            self._woken.clear()
            now = self._clock()
            if compare_at <= now:
                # What is heard meanwhile is younger than the answer, and counts.
                await self._settle()
                with continued("web.compare_places", None, self._attributes()):
                    await self._compare()
                compare_at = self._clock() + self._compare_seconds
            if any(each is not None and each <= now for each in (self._send_at, self._ask_at)):
                await self._send_what_changed(asks=self._ask_at is not None and self._ask_at <= now)

    @property
    def _compare_seconds(self) -> float:
        return COMPARE_SECONDS if self._knows_seats else ASK_AGAIN_SECONDS

    async def _settle(self) -> None:
        await asyncio.sleep(max(0.0, self._sent_at + SETTLE_SECONDS - self._clock()))

    async def _send_what_changed(self, *, asks: bool) -> None:
        """Sends what changed, in the trace of the first change, with links to the others."""
        causes, self._causes = self._causes, []
        self._send_at = None
        links = [link for cause in causes[1:] if (link := link_of(cause, "told together"))]
        with continued("web.tell_places", next(iter(causes), None), self._attributes(), links=links):
            self._take_changes()
            if asks:
                self._ask_at = None
                await self._ask_free_places()
            await self._send()
        self._sent_at = self._clock()

    def _attributes(self) -> dict[str, str | int]:
        return {"onsale.event_id": str(self._event.event_id), "onsale.listeners": len(self.channel)}

    def _take_changes(self) -> None:
        changes, self._changes = self._changes, {}
        for seat_id, state in changes.items():
            if state == "free":
                self._taken.pop(seat_id, None)
            else:
                self._taken[seat_id] = state

    async def learn(self) -> None:
        """Asks inventory how its places are."""
        await self._compare()
        self.has_learned = True

    async def _compare(self) -> None:
        """Asks what is true, and sends what the bus has lost; the whole, once it is known."""
        knew = self._knows_seats
        await self._ask_free_places()
        if self._house is not None:
            await self._ask_taken_seats()
        await self._send(anew=self._knows_seats and not knew)

    async def _ask_free_places(self) -> None:
        with suppress(ProviderUnavailable, ProviderProblem):
            self._free = (await self._shop.free_places(self._event.event_id)).value

    async def _ask_taken_seats(self) -> None:
        with suppress(ProviderUnavailable, ProviderProblem):
            taken = await self._shop.taken_seats(self._event.event_id)
            # An old answer, given while inventory is away, knows less than what was heard since.
            if not taken.stale or not self.has_learned:
                self._taken = dict(taken.value)
            self._knows_seats = True

    async def _send(self, *, anew: bool = False) -> None:
        """Sends everybody what is otherwise than was sent before, by the event as it is now."""
        is_same_house = await self._look_at_event()
        closed = self._closed()
        seats = (self._house.seats_of(closed) if self._house else {}) | self._taken
        places = self._places(closed)
        news = {seat_id: state for seat_id, state in seats.items() if self._sent_seats.get(seat_id) != state}
        news |= dict.fromkeys(self._sent_seats.keys() - seats.keys(), "free")
        counts = {each: of for each, of in places.items() if self._sent_places.get(each) != of}
        self._sent_seats, self._sent_places = seats, places
        if anew or not is_same_house:
            # Seats of another house have other numbers, so pages begin anew.
            self.channel.begin_anew()
        elif news or counts:
            self.channel.publish(self._in_words(news, counts))

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

    def _whole(self) -> dict[str, Any]:
        words = self._in_words(self._sent_seats, self._sent_places)
        return words if self._knows_seats else words | UNKNOWN

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
    """The rooms that somebody is in, by event; and the same for those who ask from time to time instead."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.rooms: Rooms[EventRoom] = Rooms(self._make)
        self._told: Cache[UUID, bytes] = Cache(name="told", size=MOST_TOLD, ttl_seconds=TOLD_SECONDS)

    async def _make(self, event_id: UUID) -> EventRoom:
        """Raises EventUnknown, ProviderUnavailable."""
        event = (await self._shop.event(event_id)).value
        return EventRoom(self._shop, event, await self._shop.house(event))

    async def now(self, event_id: UUID) -> bytes:
        """How the places are, as a snapshot of the room says. Raises EventUnknown, ProviderUnavailable."""
        if (room := self.rooms.of(event_id)) is not None and room.has_learned:
            return room.channel.whole()
        return (await self._told.get(event_id, lambda: self._tell(event_id))).value

    async def _tell(self, event_id: UUID) -> bytes:
        room = await self._make(event_id)
        await room.learn()
        return room.channel.whole()

    async def on_places_changed(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says that places of an event changed."""
        if (change := understood(PlacesChanged, payload)) is None:
            return
        self._shop.places_changed(change.event_id)
        if (room := self.rooms.of(change.event_id)) is not None:
            room.note(change)
