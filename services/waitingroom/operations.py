"""What waitingroom offers to other services."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from chassis.consistency import primary_only
from chassis.models import Request, Response
from chassis.operations import Operation
from services.waitingroom.domain import (
    ChallengeExpired,
    ChallengeMissing,
    ChallengeUsed,
    ChallengeWrong,
    DoorsClosed,
    EntryState,
    NoChallenge,
    NotInQueue,
    NotYourTurn,
    SaleEnded,
    SaleHasBegun,
    SaleState,
    SaleUnknown,
    TooManyFromAddress,
    TurnMissed,
    check_times,
)

MOST_A_MINUTE = 60_000
MOST_ACTIVE = 1_000_000
ENTRIES_A_PAGE = 1000
# An ALTCHA payload has about 700 characters.
LONGEST_SOLUTION = 4000
# A time of a sale says where on earth it is meant, and lies in years in which something may be sold.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
TimeOfSale = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]


class SaleIn(Request):
    """A sale that is announced. `rate`: people a minute, at most; `most_active`: how many may be inside at the same time."""

    doors_open_at: TimeOfSale
    starts_at: TimeOfSale
    rate: int = Field(ge=1, le=MOST_A_MINUTE)
    most_active: int = Field(ge=1, le=MOST_ACTIVE)

    @model_validator(mode="after")
    def _doors_open_first(self) -> "SaleIn":
        check_times(self.doors_open_at, self.starts_at)
        return self


class SteerIn(Request):
    """What is to change of a sale that runs; null leaves it as it is. `challenge`: whoever joins is asked for a proof of work."""

    paused: bool | None = None
    ended: bool | None = None
    rate: int | None = Field(default=None, ge=1, le=MOST_A_MINUTE)
    most_active: int | None = Field(default=None, ge=1, le=MOST_ACTIVE)
    challenge: bool | None = None


class JoinIn(Request):
    """Where somebody comes from: a hash of their network address, the same for all who come from there.

    `solution`: what their browser computed, if the sale asks for it: an ALTCHA payload (base64 of JSON)."""

    address: str = Field(pattern="^[0-9a-f]{64}$")
    solution: str | None = Field(default=None, max_length=LONGEST_SOLUTION)


class SaleOut(Response):
    """A sale as everybody may see it. `seed` is null until lots are drawn; `seed_hash` is its SHA-256, from the beginning.

    `serving`: the number up to which people have been let in. `last_number`: the last that was given. `challenge`: whoever joins
    is asked for a proof of work."""

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


class ChallengeOut(Response):
    """What a browser is to compute before its person joins: a challenge of ALTCHA, as JSON. Good for one event, once, for a while."""

    puzzle: str


class StandingOut(Response):
    """How somebody stands in a queue. `number` is null until lots are drawn; `until` is the end of their turn or of their pass.

    `expected_seconds`: until it is their turn, at the rate of now; null if that cannot be said."""

    entry_id: UUID
    state: EntryState
    number: int | None
    until: datetime | None
    expected_seconds: float | None
    sale: SaleOut


class PassOut(Response):
    """A pass, with which its person may hold places of this event until a moment, once."""

    token: str
    until: datetime


class DrawnOut(Response):
    """An entry that was there when lots were drawn, and its number."""

    entry_id: UUID
    number: int


class DrawnPage(Response):
    """Some of them, by their ids. `next` is the `after` of the following page, null on the last."""

    items: list[DrawnOut]
    next: UUID | None


SALE = "/sales/{event_id}"
ENTRY = f"{SALE}/entry"
ANNOUNCE_SALE = Operation("PUT", SALE, callers=("web",), answers=SaleOut, refuses=(SaleHasBegun,))
GET_SALE = Operation(
    "GET",
    SALE,
    callers=("web",),
    answers=SaleOut,
    refuses=(SaleUnknown,),
    reads=primary_only("Whoever runs a sale steers by it, and whether there is one decides where people are sent."),
)
STEER_SALE = Operation(
    "PATCH", SALE, callers=("web",), answers=SaleOut, refuses=(SaleUnknown, NoChallenge), repeatable=True
)
MAKE_CHALLENGE = Operation(
    "POST",
    f"{SALE}/challenge",
    callers=("web",),
    answers=ChallengeOut,
    refuses=(SaleUnknown, DoorsClosed, SaleEnded, NoChallenge),
    repeatable=True,
)
JOIN_QUEUE = Operation(
    "PUT",
    ENTRY,
    callers=("web",),
    answers=StandingOut,
    refuses=(
        SaleUnknown,
        DoorsClosed,
        SaleEnded,
        ChallengeMissing,
        ChallengeWrong,
        ChallengeUsed,
        ChallengeExpired,
        TooManyFromAddress,
    ),
)
GET_STANDING = Operation(
    "GET",
    ENTRY,
    callers=("web",),
    answers=StandingOut,
    refuses=(SaleUnknown, NotInQueue),
    reads=primary_only("A place in a queue that goes back looks like a fraud, and workers move it on without a pin."),
)
COME_IN = Operation(
    "POST",
    f"{ENTRY}/pass",
    callers=("web",),
    answers=PassOut,
    refuses=(SaleUnknown, NotInQueue, NotYourTurn, TurnMissed),
    repeatable=True,
)
LIST_DRAWN = Operation(
    "GET",
    f"{SALE}/drawn",
    callers=("web",),
    answers=DrawnPage,
    refuses=(SaleUnknown,),
    reads=primary_only("Who verifies a draw must find everybody who took part."),
)
OPERATIONS = (ANNOUNCE_SALE, GET_SALE, STEER_SALE, MAKE_CHALLENGE, JOIN_QUEUE, GET_STANDING, COME_IN, LIST_DRAWN)
