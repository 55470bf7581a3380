"""Faults of web to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping

from chassis.drills import Faults, Switch
from services.web.cache import Cached
from services.web.clients.catalog import EventPage
from services.web.shop import Shop


def ask_for_each_card(faults: Faults) -> None:
    """The list is to say what is nearly sold out: somebody asks for each class of each event, one after the other."""

    async def events(self: Shop, query: str, after: str) -> Cached[EventPage]:
        listed: Cached[EventPage] = await good(self, query, after)
        for each in listed.value.items:
            event = await self._catalog.event(each.event_id)
            for one in event.classes:
                left = await self._inventory.availability(event.event_id)
                if left.get(one.class_id) == 0:
                    await self._inventory.taken_seats(event.event_id)
        return listed

    good = faults.replace(Shop, "events", events)


SWITCHES: Mapping[str, Switch] = {"ask-for-each-card": ask_for_each_card}
