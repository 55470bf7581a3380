"""How a sale stands at this moment, for everybody who waits: asked once a second at most, however many look."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from chassis.bus import understood
from chassis.facts import Heard
from chassis.http import ProviderProblem
from services.web.clients.waitingroom import Sale, WaitingroomClient
from services.web.frame.cache import Cache
from services.web.waiting.domain import NoWaitingRoom
from services.web.waiting.pace import Pace

# With the second for which a proxy may keep the number, nobody sees one that is older than two.
SALE_SECONDS = 1.0
MOST_SALES = 1_000

# free: some can be had; in_carts: somebody holds the last ones; none: all are sold.
Places = Literal["free", "in_carts", "none"]


def slower(rate: float, seen: float | None) -> float:
    """The rate of a sale, or what was seen of it if that is less. People a minute."""
    return rate if seen is None else min(rate, seen)


class QueueMoved(Heard):
    """The bus message of waitingroom: up to which number people are let in."""

    event_id: UUID
    serving: int


def places_of(sale: Sale) -> Places:
    """Whether there is something to wait for, as far as is known."""
    if sale.places_left is None or sale.places_left > 0:
        return "free"
    return "in_carts" if sale.places_in_carts else "none"


class NowServing:
    """The sales that somebody waits for. What the bus says of one is newer than what was asked: `serving` never falls."""

    def __init__(self, waitingroom: WaitingroomClient) -> None:
        self._waitingroom = waitingroom
        # Who wants to know at once that a queue has moved.
        self.moved: Callable[[UUID], None] = lambda _event_id: None
        self._sales: Cache[UUID, Sale] = Cache(name="serving", size=MOST_SALES, ttl_seconds=SALE_SECONDS)
        self._paces: OrderedDict[UUID, Pace] = OrderedDict()

    async def sale(self, event_id: UUID) -> Sale:
        """The sale as it is now. Raises NoWaitingRoom, and ProviderUnavailable if nobody has asked for it before."""
        try:
            sale = (await self._sales.get(event_id, lambda: self._asked(event_id))).value
        except ProviderProblem as problem:
            if problem.problem_code == "sale_unknown":
                raise NoWaitingRoom from problem
            raise
        serving = self.pace(event_id).serving
        return sale.model_copy(update={"serving": serving}) if serving > sale.serving else sale

    async def _asked(self, event_id: UUID) -> Sale:
        sale = await self._waitingroom.sale(event_id)
        if sale.state == "selling" and places_of(sale) == "free":
            self.pace(event_id).note(sale.serving)
        else:
            self.pace(event_id).stand_still()
        return sale

    async def answer(self, event_id: UUID) -> dict[str, Any]:
        """What every waiting page asks for: the number, and what else would change a page. `rate`: people a minute; `waiting`: how many
        have a number whose turn it is not yet, by two digits."""
        sale = await self.sale(event_id)
        rate = slower(sale.rate_now, self.pace(event_id).a_minute())
        # Two digits are all that an estimate is worth, and one that changes each second would be sent each second.
        return {
            "serving": sale.serving,
            "state": sale.state,
            "places": places_of(sale),
            "rate": float(f"{rate:.2g}"),
            "waiting": int(float(f"{max(0, sale.last_number - sale.serving):.2g}")),
        }

    def pace(self, event_id: UUID) -> Pace:
        """How fast its queue moves."""
        pace = self._paces.setdefault(event_id, Pace())
        self._paces.move_to_end(event_id)
        if len(self._paces) > MOST_SALES:
            self._paces.popitem(last=False)
        return pace

    def changed(self, event_id: UUID) -> None:
        """It is not as it was kept."""
        self._sales.drop(event_id)

    async def on_queue_moved(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says that people were let in."""
        if (moved := understood(QueueMoved, payload)) is None:
            return
        self.pace(moved.event_id).note(moved.serving)
        self.moved(moved.event_id)
