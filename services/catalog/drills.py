"""Faults of catalog to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping

from chassis.drills import Faults, Switch
from services.catalog import api
from services.catalog.operations import EventOut
from services.catalog.service import EventWithClasses


def no_street_under_the_open_sky(faults: Faults) -> None:
    """Where people stand in a field there is no street worth telling: what has no seats has none any more."""

    def event_out(found: EventWithClasses) -> EventOut:
        event: EventOut = good(found)
        if event.seat_map is not None:
            return event
        return event.model_copy(update={"venue": event.venue.model_copy(update={"street": None})})

    good = faults.replace(api, "_event_out", event_out)


SWITCHES: Mapping[str, Switch] = {"no-street-under-the-open-sky": no_street_under_the_open_sky}
