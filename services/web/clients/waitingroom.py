"""waitingroom, as web sees it: sales with a queue, and how somebody stands in one."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chassis.asking import Client, Read, Sent, Use

MOST_A_MINUTE = 60_000
MOST_ACTIVE = 1_000_000
LONGEST_SOLUTION = 4000
# Times of a sale lie between these.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

SaleState = Literal["announced", "doors_open", "selling", "paused", "ended"]
# equal: lots are not drawn yet; turn: may come in; inside: has a pass; done: has used it.
EntryState = Literal["equal", "waiting", "turn", "inside", "done", "missed"]


class Sale(Read):
    """A sale with a waiting room. Rates in people a minute; `seed` is null until lots are drawn, its SHA-256 is not.

    `challenge`: whoever joins is asked for a proof of work."""

    event_id: UUID
    state: SaleState
    doors_open_at: datetime
    starts_at: datetime
    rate: int
    rate_now: float
    most_active: int
    seed_hash: str
    seed: str | None
    serving: int
    last_number: int
    places_left: int | None
    places_in_carts: int | None
    challenge: bool


class Challenge(Read):
    """What a browser is to compute before its person joins: JSON for the script of the page, and for nobody else."""

    puzzle: str


class TooManyThere(Read):
    """In how many seconds somebody of that address may have come in: ProviderBusyForYou says so to the page."""

    retry_after_seconds: int


class Standing(Read):
    """How somebody stands. `until`: the end of their turn, or of their pass."""

    entry_id: UUID
    state: EntryState
    number: int | None
    until: datetime | None
    expected_seconds: float | None
    sale: Sale


class Pass(Read):
    """With it its person may hold places of the event until a moment, once."""

    token: str
    until: datetime


class Drawn(Read):
    """An entry that was there when lots were drawn, and its number."""

    entry_id: UUID
    number: int


class DrawnPage(Read):
    """Some of them, by their ids, and behind which id the others are."""

    items: list[Drawn]
    next: UUID | None


class DoorsClosed(Read):
    """From when on one can join."""

    doors_open_at: datetime


class Announcement(Sent):
    """A sale as it is wished."""

    doors_open_at: datetime
    starts_at: datetime
    rate: int = Field(ge=1, le=MOST_A_MINUTE)
    most_active: int = Field(ge=1, le=MOST_ACTIVE)


class Steering(Sent):
    """What is to change of a sale; None leaves it as it is."""

    paused: bool | None = None
    ended: bool | None = None
    rate: int | None = Field(default=None, ge=1, le=MOST_A_MINUTE)
    most_active: int | None = Field(default=None, ge=1, le=MOST_ACTIVE)
    challenge: bool | None = None


class _Joining(Sent):
    address: str = Field(pattern="^[0-9a-f]{64}$")
    solution: str | None = Field(max_length=LONGEST_SOLUTION)


class _After(Sent):
    after: UUID | None = None


SALE = "/sales/{event_id}"
ENTRY = f"{SALE}/entry"
_UNKNOWN = {"sale_unknown": None}
_NOT_IN_QUEUE = {**_UNKNOWN, "not_in_queue": None}
ANNOUNCE_SALE = Use("PUT", SALE, reads=Sale, sends=Announcement, refusals={"sale_has_begun": None})
GET_SALE = Use("GET", SALE, reads=Sale, refusals=_UNKNOWN)
STEER_SALE = Use(
    "PATCH", SALE, reads=Sale, sends=Steering, refusals={**_UNKNOWN, "no_challenge": None}, repeatable=True
)
_CANNOT_JOIN = {**_UNKNOWN, "doors_closed": DoorsClosed, "sale_ended": None}
MAKE_CHALLENGE = Use(
    "POST",
    f"{SALE}/challenge",
    reads=Challenge,
    refusals={**_CANNOT_JOIN, "no_challenge": None},
    repeatable=True,
)
JOIN_QUEUE = Use(
    "PUT",
    ENTRY,
    reads=Standing,
    sends=_Joining,
    refusals={
        **_CANNOT_JOIN,
        "challenge_missing": None,
        "challenge_wrong": None,
        "challenge_used": None,
        "challenge_expired": None,
        "too_many_from_address": TooManyThere,
    },
    person=True,
)
GET_STANDING = Use("GET", ENTRY, reads=Standing, refusals=_NOT_IN_QUEUE, person=True)
COME_IN = Use(
    "POST",
    f"{ENTRY}/pass",
    reads=Pass,
    refusals={**_NOT_IN_QUEUE, "not_your_turn": None, "turn_missed": None},
    person=True,
    repeatable=True,
)
LIST_DRAWN = Use("GET", f"{SALE}/drawn", reads=DrawnPage, query=_After, refusals=_UNKNOWN)


class WaitingroomClient(Client):
    """Raises ProviderProblem for what it refuses: `sale_unknown` for an event that has no waiting room."""

    provider = "waitingroom"
    uses = (ANNOUNCE_SALE, GET_SALE, STEER_SALE, MAKE_CHALLENGE, JOIN_QUEUE, GET_STANDING, COME_IN, LIST_DRAWN)

    async def announce(self, event_id: UUID, wished: Announcement) -> Sale:
        """Gives an event a waiting room, or changes one whose doors are closed."""
        return await self.ask(ANNOUNCE_SALE, body=wished, event_id=event_id)

    async def sale(self, event_id: UUID) -> Sale:
        """How a sale stands now."""
        return await self.ask(GET_SALE, event_id=event_id)

    async def steer(self, event_id: UUID, wished: Steering) -> Sale:
        """Pauses a sale, goes on, ends it, or changes how many are let in and whether they are asked for a proof of work."""
        return await self.ask(STEER_SALE, body=wished, event_id=event_id)

    async def puzzle(self, event_id: UUID) -> str:
        """What a browser is to compute before its person joins, as JSON."""
        return (await self.ask(MAKE_CHALLENGE, event_id=event_id)).puzzle

    async def join(self, token: str, event_id: UUID, address: str, solution: str | None) -> Standing:
        """Puts this person into the queue; who is in it stays where they are.

        `address`: a hash of where they come from; `solution`: what their browser computed, if it was asked to.
        """
        body = _Joining(address=address, solution=solution)
        return await self.ask(JOIN_QUEUE, body=body, event_id=event_id, person=token)

    async def standing(self, token: str, event_id: UUID) -> Standing:
        """How this person stands in the queue."""
        return await self.ask(GET_STANDING, event_id=event_id, person=token)

    async def come_in(self, token: str, event_id: UUID) -> Pass:
        """This person's pass, if it is their turn; asked again, the same."""
        return await self.ask(COME_IN, event_id=event_id, person=token)

    async def drawn(self, event_id: UUID, after: UUID | None) -> DrawnPage:
        """Who was there when lots were drawn, some at a time."""
        return await self.ask(LIST_DRAWN, query=_After(after=after), event_id=event_id)
