"""One person of the crowd, with one browser: comes, wants places, and pays or does not."""

import asyncio
import random
import re
import time
from dataclasses import dataclass
from uuid import uuid4

import aiohttp

from local.bench.crowd import CODE, NUMBER, QUANTITY, STATE, PurchaseFailed, Visitor, form_to
from rehearsal.crowd.lobby import Lobby
from rehearsal.crowd.plan import Behaviour, Person
from rehearsal.crowd.record import End, GaveUp, Record
from rehearsal.crowd.told import ToldLog
from rehearsal.crowd.waiting import Waiting

GOOD_CARD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
LOOK_SECONDS = (0.1, 2.0)
# Who is refused comes back, less and less often.
COME_BACK_SECONDS = (2.0, 30.0)
GROWTH = 1.5
LOST_ANSWER_SECONDS = 0.02
_MOST = re.compile(r'name="quantity-[^"]+"[^>]*\bmax="(\d+)"')
NO_PLACES = frozenset({409, 410})
# Too many at once; or the turn is over, and the event's page leads to the waiting room again.
BUSY, TURN_OVER = frozenset({429, 503}), 403

Page = tuple[str, str]
Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Stage:
    """What all of the crowd share."""

    http: aiohttp.ClientSession
    event_url: str
    hold_seconds: float
    record: Record
    told: ToldLog
    lobby: Lobby

    @property
    def is_sold_out(self) -> bool:
        """Whether nothing can be had any more, as far as anybody knows."""
        return self.record.is_sold_out or self.lobby.shown.is_over


class RehearsedBuyer:
    """Goes through the pages as its person does."""

    def __init__(self, stage: Stage, person: Person) -> None:
        self._stage = stage
        self._person = person
        self._visitor = Visitor(stage.http, stage.record.notice)
        self._places = person.places
        self._draw = random.Random(person.patience)  # noqa: S311  # pauses are no secret
        self._is_inside = False
        self._waiting = Waiting(stage.lobby, stage.record, person, self._visitor, self._press)

    async def visit(self) -> End:
        """From the event's page to the tickets, or to whatever else it comes to."""
        try:
            order_url, page = await self._hold()
            self._see(page)
            if self._person.behaviour is Behaviour.ABANDONS:
                return End.ABANDONED
            if self._person.behaviour is Behaviour.GOES_BACK:
                await self._visitor.go(self._stage.event_url)
                order_url, page = await self._visitor.go(order_url)
            page = await self._pay(order_url, page)
            return await self._wait_for_tickets(order_url, page)
        except GaveUp as error:
            return error.end
        except (PurchaseFailed, aiohttp.ClientError, TimeoutError) as error:
            self._stage.record.faults[str(error) or type(error).__name__] += 1
            return End.FAILED
        finally:
            self._go_out()

    async def _hold(self) -> Page:
        """Comes back until there are places, or all are sold. Where the page says that there are none, nobody presses."""
        pause, longest = COME_BACK_SECONDS[0], min(COME_BACK_SECONDS[1], self._stage.hold_seconds / 2)
        while True:
            if self._stage.is_sold_out:
                raise GaveUp(End.SOLD_OUT)
            wait = pause
            try:
                url, page = await self._open()
                if self._free(page):
                    return await self._press(*self._wish(url, page))
            except PurchaseFailed as refused:
                if refused.status in NO_PLACES:
                    self._places = 1  # better one than none
                elif not self._may_come_back(refused):
                    raise
                wait = max(pause, refused.retry_after_seconds)
            await asyncio.sleep(wait * self._draw.uniform(0.5, 1.0))
            pause = min(pause * GROWTH, longest)

    def _may_come_back(self, refused: PurchaseFailed) -> bool:
        is_busy = bool(refused.retry_after_seconds) or refused.status in BUSY
        return is_busy or (refused.status == TURN_OVER and self._is_inside)

    async def _open(self) -> Page:
        """The event's page; by way of the waiting room, if it leads there."""
        url, page = await self._visitor.go(self._stage.event_url)
        if self._stage.lobby.way_in not in page:
            return url, page
        self._go_out()
        url, page = await self._waiting.come_in(self._stage.event_url)
        self._is_inside = True
        self._stage.record.inside += 1
        return url, page

    def _go_out(self) -> None:
        self._stage.record.inside -= self._is_inside
        self._is_inside = False

    def _free(self, page: str) -> bool:
        """Whether the page offers anything; who wants two takes one if no more is left."""
        most = _MOST.search(page)
        if most and most[1] == "1":
            self._places = 1
        return QUANTITY.search(page) is not None and (most is None or most[1] != "0")

    def _wish(self, url: str, page: str) -> tuple[str, Fields]:
        action, fields = form_to(url, page, "/orders")
        quantity, _ = QUANTITY.findall(page)[0]
        return action, [*fields, (quantity, str(self._places))]

    async def _press(self, action: str, fields: Fields) -> Page:
        """Sends a form as this person does: once, twice at the same moment, or again without waiting for the answer."""
        if self._person.behaviour is Behaviour.DOUBLE_CLICKS:
            twice = [self._visitor.go(action, fields) for _ in range(2)]
            pages = await asyncio.gather(*twice, return_exceptions=True)
            good = [each for each in pages if not isinstance(each, BaseException)]
            if not good:
                raise next(each for each in pages if isinstance(each, BaseException))
            return good[-1]
        if self._person.behaviour is Behaviour.SENDS_AGAIN:
            try:
                async with asyncio.timeout(LOST_ANSWER_SECONDS):
                    return await self._visitor.go(action, fields)
            except TimeoutError:
                pass  # pressed again, with the same form
        return await self._visitor.go(action, fields)

    def _see(self, page: str) -> None:
        """Writes down what the page says about the order."""
        number, state = NUMBER.search(page), STATE.search(page)
        if number and state:
            told = state[1] if state[1] in {"confirmed", "cancelled"} else "held"
            if told != "confirmed":  # that counts with its tickets
                self._stage.told.tell(told, number[1], state[1], self._places, self._visitor.trace_id)

    async def _pay(self, order_url: str, page: str) -> str:
        action, fields = form_to(order_url, page, "/pay")
        email = f"rehearsal-{uuid4().hex}@example.test"
        url, page = await self._press(action, [*fields, ("name", "Robin Rehearsal"), ("email", email)])
        await asyncio.sleep(self._person.pays_after_seconds(self._stage.hold_seconds))
        if self._person.behaviour is Behaviour.DECLINES:
            url, page = await self._give_card(url, page, DECLINED)
            if not self._person.has_another_card:
                raise GaveUp(End.ABANDONED)
            url, page = await self._visitor.go(order_url)
            action, fields = form_to(url, page, "/pay")
            url, page = await self._press(action, [*fields, ("name", "Robin Rehearsal"), ("email", email)])
        try:
            return (await self._give_card(url, page, GOOD_CARD))[1]
        except PurchaseFailed:
            if self._person.behaviour is not Behaviour.PAYS_LATE:
                raise
            return (await self._visitor.go(order_url))[1]  # too late for the bank: the shop says what became of it

    async def _give_card(self, url: str, page: str, card: str) -> Page:
        action, fields = form_to(url, page, "")
        return await self._visitor.go(action, [*fields, ("number", card), ("expiry", "12/39"), ("cvc", "123")])

    async def _wait_for_tickets(self, order_url: str, page: str) -> End:
        """Looks until the tickets are there; the crowd's own bound ends it otherwise."""
        pause, began = LOOK_SECONDS[0], time.monotonic()
        while not (codes := CODE.findall(page)):
            state = STATE.search(page)
            if state and state[1] == "cancelled":
                self._see(page)
                return End.CANCELLED
            if state and state[1] == "held" and time.monotonic() - began > self._stage.hold_seconds * 2:
                return End.ABANDONED
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LOOK_SECONDS[1])
            _, page = await self._visitor.go(order_url)
        number = NUMBER.search(page)
        self._stage.told.tell("confirmed", number[1] if number else "", "confirmed", len(codes), self._visitor.trace_id)
        self._stage.record.note_sale(len(codes))
        if len(codes) != self._places or len(set(codes)) != len(codes):
            self._stage.record.faults[f"{len(set(codes))} tickets instead of {self._places}"] += 1
        return End.BOUGHT
