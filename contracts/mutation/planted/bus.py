"""Breaks of bus messages: what is said is not what is watched."""

from contracts.mutation.breaks import Break, Edit
from contracts.mutation.planted.places import NEEDED, tells, watches

INVENTORY = "services/inventory/service.py"
EVENTS = "services/inventory/events.py"
PLACES = "bus.inventory.places_changed"

BREAKS = (
    Break(
        "a field of a bus message is renamed",
        (
            Edit(
                EVENTS,
                "    event_id: UUID\n    seats: list[ChangedSeat]\n",
                "    event_id: UUID\n    places: list[ChangedSeat]\n",
            ),
            Edit(INVENTORY, "seats=seats, classes=", "places=seats, classes="),
        ),
        (tells("inventory"),),
        ("inventory breaks what web relies on", PLACES, "missing the following keys: seats"),
    ),
    Break(
        "a state in a bus message is written in capitals",
        (
            Edit(EVENTS, "BaseModel, ConfigDict\n", "BaseModel, ConfigDict, PlainSerializer\n"),
            Edit(EVENTS, "from typing import ClassVar\n", "from typing import Annotated, ClassVar\n"),
            Edit(
                EVENTS,
                "    state: SeatState\n",
                "    state: Annotated[SeatState, PlainSerializer(lambda each: each.value.upper())]\n",
            ),
        ),
        (tells("inventory"),),
        ("inventory breaks what web relies on", PLACES, "$.seats[0].state: Expected"),
    ),
    Break(
        "bus messages lose the trace",
        (Edit("chassis/bus.py", "headers=inject({}) or None", "headers=None"),),
        (tells("inventory"),),
        ("inventory breaks what web relies on", PLACES, "traceparent"),
    ),
    Break(
        "the subject of a bus message is another",
        (Edit(INVENTORY, f'f"{PLACES}.{{event_id}}"', 'f"bus.inventory.places_moved.{event_id}"'),),
        (NEEDED,),
        (PLACES,),
    ),
    Break(
        "a watcher reads a field that its contract does not ask for",
        (
            Edit(
                "services/web/rooms.py",
                "    seat_id: str\n    state: str\n",
                "    seat_id: str\n    label: str\n    state: str\n",
            ),
        ),
        (watches("web", "inventory"),),
        (PLACES, "PlacesChanged does not understand", "seats.0.label (Field required)"),
    ),
    Break(
        "a watcher drops a field that its contract still asks for",
        (Edit("services/web/rooms.py", "    seat_id: str\n    state: str\n", "    seat_id: str\n"),),
        (watches("web", "inventory"),),
        (PLACES, "does not read $.seats[0].state"),
    ),
    Break(
        "a service watches a subject without a contract",
        (
            Edit(
                "services/web/app.py",
                '    service.listen("events.catalog.>"',
                '    service.bus.subscribe("bus.catalog.seats_moved.>", site.rooms.on_places_changed)\n'
                '    service.listen("events.catalog.>"',
            ),
        ),
        (NEEDED,),
        ("bus.catalog.seats_moved",),
    ),
)
