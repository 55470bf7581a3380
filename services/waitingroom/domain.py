"""Who is let in when. Pure: no clock, no key, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

# How much longer a wish for places may take than usual before fewer are let in, in seconds.
TOO_SLOW_SECONDS = 0.4
SLOWER, FASTER = 0.7, 1.1
LEAST_RATE = 6.0


class SaleState(StrEnum):
    """How a sale stands: it is announced, its doors open, it draws lots and sells, perhaps with pauses, and ends."""

    ANNOUNCED = "announced"
    DOORS_OPEN = "doors_open"
    SELLING = "selling"
    PAUSED = "paused"
    ENDED = "ended"


class EntryState(StrEnum):
    """How somebody stands in the queue."""

    # Before the draw: everybody is equal.
    EQUAL = "equal"
    WAITING = "waiting"
    TURN = "turn"
    # Has a pass.
    INSIDE = "inside"
    DONE = "done"
    MISSED = "missed"


class WaitingroomError(Exception):
    """Base of the errors that callers of this service see."""

    code: ClassVar[str]
    category: ClassVar[str]


class SaleUnknown(WaitingroomError):
    """This event has no waiting room."""

    code = "sale_unknown"
    category = "not_found"

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__("This event has no waiting room. Open its page: what is on sale can be bought there.")


class SaleHasBegun(WaitingroomError):
    """Times of a sale that has begun are facts."""

    code = "sale_has_begun"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__("This sale has begun: its times stay as they are. Change its rate, pause it or end it.")


class DoorsClosed(WaitingroomError):
    """It is too early to join. `doors_open_at` says when it will not be."""

    code = "doors_closed"
    category = "conflict"
    doors_open_at: datetime

    def __init__(self, doors_open_at: datetime) -> None:
        self.doors_open_at = doors_open_at
        super().__init__(
            "The waiting room is not open yet. Come back when its doors open: coming earlier brings nothing."
        )


class SaleEnded(WaitingroomError):
    """Nobody waits here any more."""

    code = "sale_ended"
    category = "gone"

    def __init__(self) -> None:
        super().__init__("This waiting room is closed. Open the event's page to see what is left.")


class TooManyFromAddress(WaitingroomError):
    """As many people as one address may bring are in this queue."""

    code = "too_many_from_address"
    category = "too_many"
    retry_after_seconds: int

    def __init__(self, most: int) -> None:
        self.most = most
        # Somebody from there may have come in by then.
        self.retry_after_seconds = 60
        super().__init__(
            f"{most} people already wait from your network address. Join from another network, a phone's for example."
        )


class NotInQueue(WaitingroomError):
    """This person has not joined."""

    code = "not_in_queue"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("You are not in this queue yet. Join it on the event's page.")


class NotYourTurn(WaitingroomError):
    """Others are before them."""

    code = "not_your_turn"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__("It is not your turn yet. Stay on the page: it tells you when it is.")


class TurnMissed(WaitingroomError):
    """Their turn, or the time of their pass, is over."""

    code = "turn_missed"
    category = "gone"

    def __init__(self) -> None:
        super().__init__("Your turn is over. Join the queue again: you get a new number at its end.")


class NoChallenge(WaitingroomError):
    """Nobody is asked for a proof here, or this shop cannot ask for one: the sentence says which."""

    code = "no_challenge"
    category = "conflict"


class ChallengeMissing(WaitingroomError):
    """The sale asks for a proof, and none was sent."""

    code = "challenge_missing"
    category = "forbidden"

    def __init__(self) -> None:
        super().__init__(
            "This sale asks each browser for a small computation before it joins. Press the button again, in a browser "
            "with JavaScript."
        )


class ChallengeWrong(WaitingroomError):
    """What was sent proves nothing, or it was computed for another event."""

    code = "challenge_wrong"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__("What your browser computed is not right. Press the button again: it computes a new one.")


class ChallengeUsed(WaitingroomError):
    """Somebody has joined with this proof: each counts once."""

    code = "challenge_used"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__("Somebody has joined with this proof already. Press the button again: a new one is computed.")


class ChallengeExpired(WaitingroomError):
    """The proof is of a challenge whose time is over."""

    code = "challenge_expired"
    category = "gone"

    def __init__(self) -> None:
        super().__init__("This proof came too late. Press the button again: your browser computes a new one.")


@dataclass(frozen=True)
class Solved:
    """A proof that holds. `solution_id` is that of its challenge, and counts until `expires_at`.

    `solving_ms` is how long the browser says that it computed: robots may say what they like. None if it says nothing."""

    solution_id: UUID
    expires_at: datetime
    solving_ms: int | None


@dataclass(frozen=True)
class Sale:
    """A sale with a waiting room, as its row says. Rates in people a minute.

    `serving` is the number up to which people have been let in; `rate_now` is what the shop can take, at most `rate`; `credit` is
    the part of a person that is left over from the last step; `challenge`: whoever joins is asked for a proof of work first."""

    event_id: UUID
    doors_open_at: datetime
    starts_at: datetime
    rate: int
    rate_now: float
    most_active: int
    seed: str
    drawn_at: datetime | None
    paused: bool
    ended: bool
    serving: int
    credit: float
    last_number: int
    advanced_at: datetime | None
    places_left: int | None = None
    places_in_carts: int | None = None
    challenge: bool = False

    def state(self, now: datetime) -> SaleState:
        """How it stands at a moment."""
        if self.ended:
            return SaleState.ENDED
        if now < self.doors_open_at:
            return SaleState.ANNOUNCED
        if self.drawn_at is None:
            return SaleState.DOORS_OPEN
        return SaleState.PAUSED if self.paused else SaleState.SELLING


@dataclass(frozen=True)
class Entry:
    """Somebody in a queue. `number` is null until lots are drawn; `until` is the end of their turn, or of their pass."""

    entry_id: UUID
    person_id: UUID
    number: int | None
    until: datetime | None
    passed: bool
    done: bool

    def state(self, now: datetime) -> EntryState:
        """How they stand at a moment."""
        if self.done:
            return EntryState.DONE
        if self.number is None:
            return EntryState.EQUAL
        if self.until is None:
            return EntryState.WAITING
        if now >= self.until:
            return EntryState.MISSED
        return EntryState.INSIDE if self.passed else EntryState.TURN


def check_open(sale: Sale, now: datetime) -> None:
    """Raises `SaleEnded` or `DoorsClosed` unless people may join."""
    state = sale.state(now)
    if state is SaleState.ENDED:
        raise SaleEnded
    if state is SaleState.ANNOUNCED:
        raise DoorsClosed(sale.doors_open_at)


def check_times(doors_open_at: datetime, starts_at: datetime) -> None:
    """Raises ValueError unless doors open before the sale starts."""
    if doors_open_at >= starts_at:
        raise ValueError("doors open before the sale starts")


def commitment(seed: str) -> str:
    """What is published of a seed before it is revealed: its SHA-256, as hex digits."""
    return sha256(seed.encode()).hexdigest()


def lot(seed: str, entry_id: UUID) -> str:
    """An entry's lot: the SHA-256 of seed and entry. The smallest is let in first."""
    return sha256(f"{seed}:{entry_id}".encode()).hexdigest()


def drawn(seed: str, entries: Iterable[UUID]) -> dict[UUID, int]:
    """The number of each entry that was there when lots were drawn, from 1."""
    in_order = sorted(entries, key=lambda entry_id: lot(seed, entry_id))
    return {entry_id: number for number, entry_id in enumerate(in_order, 1)}


def let_in(sale: Sale, now: datetime, active: int) -> tuple[int, float]:
    """Up to which number people may come in now, and what is left over of the next one.

    Never more than the rate allows since the last step, than have come, and than `most_active` leaves beside those who are in.
    Nobody comes in while the sale is paused, or while no place is free.
    """
    if sale.advanced_at is None or sale.state(now) is not SaleState.SELLING or sale.places_left == 0:
        return sale.serving, 0.0
    if now < sale.advanced_at:
        # The database's clock went back, or another process has taken a step since this one began: time counts from now on.
        return sale.serving, sale.credit
    minutes = (now - sale.advanced_at) / timedelta(minutes=1)
    # What nobody used is not saved up: a crowd that comes later is let in at the rate, and not at once.
    credit = min(sale.credit + minutes * sale.rate_now, max(1.0, sale.rate_now / 12))
    people = min(int(credit), sale.last_number - sale.serving, max(0, sale.most_active - active))
    return sale.serving + people, credit - people


def next_rate(rate_now: float, rate: int, wait_seconds: float | None) -> float:
    """At which rate to go on, by how much longer than usual people wait for places, or for the bank; None: nobody says it."""
    if wait_seconds is None or wait_seconds > TOO_SLOW_SECONDS:
        return min(float(rate), max(LEAST_RATE, rate_now * SLOWER))
    return min(float(rate), max(LEAST_RATE, rate_now) * FASTER)


def expected_seconds(sale: Sale, number: int, now: datetime) -> float | None:
    """How long until a number is let in at the rate of now; None if that cannot be said: paused, or no place is free."""
    if sale.state(now) is not SaleState.SELLING or sale.places_left == 0 or sale.rate_now <= 0:
        return None
    return max(0, number - sale.serving) / sale.rate_now * 60
