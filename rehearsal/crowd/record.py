"""What is measured of a crowd: every request, every sale, every refusal, and how its waiting room stood."""

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from local.bench.crowd import Answered

BANK = "pay at the bank"
ORDER_PAGE = "look at the order"
SERVING = "ask who is served"
# What is asked in a waiting room: its address after that of the event, and how.
_IN_THE_QUEUE = {
    ("GET", "/queue/serving"): SERVING,
    ("GET", "/queue"): "look at the waiting room",
    ("POST", "/queue"): "join the queue",
    ("POST", "/queue/pass"): "come in",
}
_REFUSING = frozenset({409, 410, 429, 503})
FIRST_ERROR = 400


class End(StrEnum):
    """How a person's visit ended."""

    BOUGHT = "bought"
    SOLD_OUT = "went without: all was sold"
    ABANDONED = "left their places"
    CANCELLED = "order was cancelled"
    MISSED = "let their turn pass"
    NOT_SERVED = "could not be served in time"
    FAILED = "saw an error"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `at` in seconds since the beginning."""

    at: float
    kind: str
    status: int
    seconds: float
    problem: str
    trace_id: str

    @property
    def is_refusal(self) -> bool:
        """An honest no: sold out, held by others, too many at once."""
        return self.status in _REFUSING

    @property
    def is_error(self) -> bool:
        """Anything that went wrong, also no answer at all."""
        return not self.is_refusal and (self.status == 0 or self.status >= FIRST_ERROR)


class GaveUp(Exception):
    """This visit is over; how, is its `end`."""

    def __init__(self, end: End) -> None:
        super().__init__(end.value)
        self.end = end


@dataclass(frozen=True, slots=True)
class Seen:
    """How the waiting room stood: people who wait and who are inside, the number that is served, and people let in a minute."""

    at: float
    serving: int
    rate: float
    state: str
    places: str
    waiting: int
    inside: int


@dataclass(frozen=True, slots=True)
class Waited:
    """Somebody came in, at that moment, after so many seconds in the queue."""

    at: float
    seconds: float
    number: int
    trace_id: str


@dataclass
class Record:
    """Everything about one crowd."""

    shop: str
    places: int
    began: float = field(default_factory=time.perf_counter)
    requests: list[Request] = field(default_factory=list)
    sales: list[tuple[float, int]] = field(default_factory=list)
    ends: Counter[End] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    seen: list[Seen] = field(default_factory=list)
    waits: list[Waited] = field(default_factory=list)
    # What whoever runs the sale sees: at that moment so many people a minute were allowed in.
    allowed: list[tuple[float, float]] = field(default_factory=list)
    arrived: int = 0
    sold: int = 0
    waiting: int = 0
    inside: int = 0

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.began

    @property
    def is_sold_out(self) -> bool:
        """Whether buyers have seen as many tickets as there are places."""
        return self.sold >= self.places

    def notice(self, answered: Answered) -> None:
        """Keeps a request."""
        at = self.now - answered.seconds
        kind = _kind_of(answered, urlsplit(self.shop).netloc)
        self.requests.append(Request(at, kind, answered.status, answered.seconds, answered.problem, answered.trace_id))

    def note_seen(self, serving: int, rate: float, state: str, places: str) -> None:
        """So the waiting room says that it stands."""
        self.seen.append(Seen(self.now, serving, rate, state, places, self.waiting, self.inside))

    def note_sale(self, places: int) -> None:
        """Somebody has their tickets."""
        self.sold += places
        self.sales.append((self.now, places))


def _kind_of(answered: Answered, shop: str) -> str:
    parts = urlsplit(answered.url)
    if parts.netloc != shop:
        return BANK
    if parts.path.startswith("/events/"):
        if "/queue" in parts.path:
            return _IN_THE_QUEUE[answered.method, parts.path[parts.path.index("/queue") :]]
        return "hold places" if answered.method == "POST" else "open the event"
    if answered.method == "POST":
        return "begin to pay"
    return "come back from the bank" if parts.path.endswith("/return") else ORDER_PAGE
