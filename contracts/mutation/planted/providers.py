"""Breaks of providers: their answers are not what a consumer relies on."""

from contracts.mutation.breaks import Break, Change, Edit
from contracts.mutation.planted.places import is_asked

API = "services/inventory/api.py"
DOMAIN = "services/inventory/domain.py"
TICKETS_API = "services/tickets/api.py"
SERIALISING = Edit(API, "from pydantic import Field\n", "from pydantic import Field, PlainSerializer\n")


def _inventory(name: str, says: tuple[str, ...], *changes: Change) -> Break:
    return Break(name, changes, (is_asked("inventory"),), ("inventory breaks what", *says))


def _tickets(name: str, says: tuple[str, ...], *changes: Change) -> Break:
    return Break(name, changes, (is_asked("tickets"),), ("tickets breaks what", *says))


BREAKS = (
    _inventory(
        "a field of an answer is renamed",
        ("orders relies on", "a hold of a seat", "missing the following keys: expires_at"),
        Edit(API, "    expires_at: datetime\n", "    valid_until: datetime\n"),
        Edit(API, "expires_at=hold.expires_at", "valid_until=hold.expires_at"),
    ),
    _inventory(
        "a field within a list of an answer is renamed",
        ("$.lines[0]", "missing the following keys: seat_label"),
        Edit(
            API,
            "    seat_label: str | None\n    quantity: int\n",
            '    seat_label: str | None = Field(serialization_alias="label")\n    quantity: int\n',
        ),
    ),
    _inventory(
        "a number of an answer becomes a string",
        ("web relies on", "$.classes[0].available: Expected '10' (String)"),
        SERIALISING,
        Edit(API, "    available: int\n", "    available: Annotated[int, PlainSerializer(str)]\n"),
    ),
    _inventory(
        "a field of an answer becomes null",
        ("orders relies on", "a hold of a seat", "$.lines[0].seat_label: Expected null"),
        Edit(
            API,
            "lines=[LineOut.model_validate(line) for line in hold.lines]",
            "lines=[LineOut.model_validate(line).model_copy(update={'seat_label': None}) for line in hold.lines]",
        ),
    ),
    _inventory(
        "a string with a pattern becomes a number",
        ("orders relies on", "$.expires_at: Expected", "(Integer)"),
        SERIALISING,
        Edit(
            API,
            "    expires_at: datetime\n",
            "    expires_at: Annotated[datetime, PlainSerializer(lambda each: int(each.timestamp()))]\n",
        ),
    ),
    _inventory(
        "an id is written in capitals",
        ("web relies on", "$.classes[0].class_id: Expected"),
        SERIALISING,
        Edit(
            API,
            "    class_id: UUID\n    capacity: int\n",
            "    class_id: Annotated[UUID, PlainSerializer(lambda each: str(each).upper())]\n    capacity: int\n",
        ),
    ),
    _inventory(
        "a moment is written with +00:00 instead of Z",
        ("expires_at: Expected", "+00:00"),
        SERIALISING,
        Edit(
            API,
            "    expires_at: datetime\n",
            "    expires_at: Annotated[datetime, PlainSerializer(lambda each: each.isoformat())]\n",
        ),
    ),
    _inventory(
        "an enumeration's value is written in capitals",
        ("$.taken[0].state: Expected 'HELD'",),
        SERIALISING,
        Edit(
            API,
            "    state: Literal[SeatState.HELD, SeatState.SOLD]\n",
            "    state: Annotated[SeatState, PlainSerializer(lambda each: each.value.upper())]\n",
        ),
    ),
    _inventory(
        "an enumeration gets a value that its reader does not know",
        ("$.taken[0].state: Expected 'reserved'",),
        SERIALISING,
        Edit(
            API,
            "    state: Literal[SeatState.HELD, SeatState.SOLD]\n",
            '    state: Annotated[SeatState, PlainSerializer(lambda each: "reserved")]\n',
        ),
    ),
    _inventory(
        "a list of an answer comes empty",
        ("a hold of a seat", "$.lines: Expected"),
        Edit(API, "lines=[LineOut.model_validate(line) for line in hold.lines]", "lines=[]"),
    ),
    _tickets(
        "a field that is null is left out",
        ("a person's tickets", "next"),
        Edit(TICKETS_API, '@router.get("/tickets", ', '@router.get("/tickets", response_model_exclude_none=True, '),
    ),
    _tickets(
        "a field that a partner outside reads is renamed",
        ("doorman relies on", "missing the following keys: event_title"),
        Edit(
            TICKETS_API,
            "    ticket_id: UUID | None\n    event_title: str | None\n",
            '    ticket_id: UUID | None\n    event_title: str | None = Field(serialization_alias="event")\n',
        ),
    ),
    _inventory(
        "a status of success is another",
        ("a hold of a seat", "expected 201 but was 200"),
        Edit(API, "response.status_code = 201 if hold.new else 200", "response.status_code = 200"),
    ),
    _inventory(
        "a status of a refusal is another",
        ("a hold of more places than are left", "expected 409 but was 400"),
        Edit(DOMAIN, 'code = "sold_out"\n    category = "conflict"', 'code = "sold_out"\n    category = "malformed"'),
    ),
    _inventory(
        "the code of a refusal is renamed",
        ("a hold of a seat that is taken", "$.code: Expected 'seats_gone'"),
        Edit(DOMAIN, 'code = "seats_taken"', 'code = "seats_gone"'),
    ),
    _inventory(
        "a fact of a refusal is renamed",
        ("a hold of a seat that is taken", "missing the following keys: seat_ids"),
        Edit(DOMAIN, "self.seat_ids = list(seat_ids)", "self.seats = list(seat_ids)"),
    ),
    _inventory(
        "refusals are plain JSON instead of problem documents",
        ("application/problem+json", "application/json"),
        Edit("chassis/problems.py", 'MEDIA_TYPE = "application/problem+json"', 'MEDIA_TYPE = "application/json"'),
    ),
    _tickets(
        "the content type of a file is another",
        ("as PDF", "application/pdf"),
        Edit(TICKETS_API, 'media_type="application/pdf", headers', 'media_type="application/octet-stream", headers'),
    ),
    _inventory(
        "a route is moved",
        ("the free places of an event", "expected 200 but was 404"),
        Edit(API, '"/events/{event_id}/availability"', '"/events/{event_id}/free"'),
    ),
    _inventory(
        "the method of a route is another",
        ("the release of a hold that is not known", "expected 200 but was 405"),
        Edit(
            API,
            'router.post("/events/{event_id}/holds/{hold_id}/release"',
            'router.put("/events/{event_id}/holds/{hold_id}/release"',
        ),
    ),
    _inventory(
        "a request needs one field more",
        ("a hold of a seat", "expected 201 but was 422"),
        Edit(API, "    order_id: UUID\n    places:", "    order_id: UUID\n    channel: str\n    places:"),
    ),
    _inventory(
        "a caller is not let in any more",
        ("the free places of an event", "expected 200 but was 403"),
        Edit(API, 'calls_from("web", "catalog", "waitingroom")', 'calls_from("catalog", "waitingroom")'),
    ),
)
