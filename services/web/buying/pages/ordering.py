"""The form of the event page: from a wish to an order."""

import hashlib
import re
import unicodedata
from dataclasses import replace
from functools import partial
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.domain import Wish
from services.web.browsing.held_places import held_notice, own_orders, own_seats
from services.web.browsing.pages import EventPage
from services.web.browsing.shop import Shop
from services.web.browsing.way_in import queue_path
from services.web.browsing.words import begins_later
from services.web.buying.just_placed import JustPlaced
from services.web.buying.turns import TooManyAtOnce, Turns
from services.web.clients.catalog import Event
from services.web.clients.orders import (
    LONGEST_SEAT_ID,
    MOST_CLASSES,
    MOST_PLACES,
    NotOnSale,
    Order,
    OrderStillOpen,
    SoldOut,
)
from services.web.frame import formats
from services.web.frame.domain import FormTooOld
from services.web.frame.notices import Notice, page_too_old
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.people.guests import Guests
from tracing.spans import current_traceparent, note, span

_QUANTITY = "quantity-"
_NUMBER = re.compile(r"0*[1-9][0-9]{0,3}", re.ASCII)

NOT_NOW = "Their sale has not begun, or is over. What this page shows below is on sale."
NOTHING_CHOSEN = Notice("warning", "Nothing is chosen yet.", "Choose at least one place, then hold it.", focus=True)
TOO_MANY_CLASSES = Notice(
    "error",
    "That did not work.",
    f"One order has places of at most {MOST_CLASSES} classes. Choose fewer, then press the button.",
    focus=True,
)
OLD_PAGE = page_too_old("What you chose is still here: press the button again.")
NOT_OPEN_YET = Notice(
    "warning",
    "This sale is being opened at this moment.",
    "What you chose is still here. Press the button again in a few seconds.",
    focus=True,
)
NO_PASS = {
    "pass_needed": Notice(
        "warning",
        "Tickets of this event are sold by way of its waiting room.",
        "Nothing was held and nothing was charged. Perhaps your turn is over: the waiting room tells you, and when the next is.",
        focus=True,
    ),
    "pass_used": Notice(
        "warning",
        "You have held places with this turn already.",
        "Each turn is for one order. You find it among your orders; for other places, wait for another turn.",
        focus=True,
    ),
}
NO_ANSWER = Notice(
    "error",
    "We could not hold your places just now.",
    "What you chose is still here. Press the button again in a few seconds: you will not get them twice.",
    focus=True,
)


MANY_AT_ONCE = Notice(
    "warning",
    "Very many people order at this moment.",
    "Nothing was held yet, and what you chose is still here. Press the button again in a few seconds.",
    focus=True,
)


def make_ordering_router(
    site: Site, shop: Shop, guests: Guests, event_page: EventPage, just_placed: JustPlaced
) -> APIRouter:
    """The form of the event page."""
    router = APIRouter(include_in_schema=False)
    ordering = Ordering(site, shop, guests, event_page, just_placed)

    @router.post("/events/{event_id}/orders", dependencies=[open_to_all])
    async def order(request: Request, event_id: UUID) -> Response:
        return await ordering.order(request, event_id)

    return router


class Ordering:
    """Takes the form of the event page; what cannot be fulfilled is answered with that page, and what was chosen."""

    def __init__(self, site: Site, shop: Shop, guests: Guests, event_page: EventPage, just_placed: JustPlaced) -> None:
        self._site = site
        self._shop = shop
        self._guests = guests
        self._event_page = event_page
        self._just_placed = just_placed
        self._turns = Turns()

    async def order(self, request: Request, event_id: UUID) -> Response:
        """The way to the order that was placed, or the event's page again."""
        visitor = await self._site.recognise(request)
        wish = wish_of(await request.form(max_files=0, max_fields=300))
        show = partial(self._event_page.show, request, visitor, event_id)
        try:
            form = await self._site.cookies.own_form(request, visitor)
        except FormTooOld:
            return await show(wish=wish, notices=(OLD_PAGE,), status=403)
        if wish.is_empty:
            return await show(notices=(NOTHING_CHOSEN,), status=422)
        # Orders would refuse a body with more places, or more classes, as one that it cannot read.
        if wish.places > MOST_PLACES:
            most = (await self._shop.event(event_id)).value.max_per_order
            return await show(wish=wish, notices=(too_many_places(most),), status=422)
        if len(wish.quantities) > MOST_CLASSES:
            return await show(wish=wish, notices=(TOO_MANY_CLASSES,), status=422)
        attempt = str(form.get("attempt") or "")[:100]
        return await self._place(request, visitor, event_id, wish, attempt)

    async def _place(self, request: Request, visitor: Visitor, event_id: UUID, wish: Wish, attempt: str) -> Response:
        try:
            async with self._turns.turn(event_id):
                with span("web.place_order", {"onsale.event_id": str(event_id), "onsale.places": wish.places}):
                    order = await self._place_as_somebody(request, visitor, event_id, wish, attempt)
                    note(order.attributes())
        except TooManyAtOnce as error:
            page = await self._event_page.show(
                request, visitor, event_id, wish=wish, attempt=attempt, notices=(MANY_AT_ONCE,), status=503
            )
            page.headers["Retry-After"] = str(error.retry_after_seconds)
            return page
        except ProviderUnavailable:
            # Perhaps it was done all the same: the same attempt again finds it instead of doing it twice.
            return await self._event_page.show(
                request, visitor, event_id, wish=wish, attempt=attempt, notices=(NO_ANSWER,), status=503
            )
        except ProviderProblem as problem:
            return await self._refused(request, visitor, event_id, wish, problem)
        self._just_placed.keep(visitor, order)
        response = self._site.renderer.go_to(f"/orders/{order.order_id}", visitor)
        self._site.cookies.remember_purchase(response, order.order_id, current_traceparent())
        if self._site.cookies.admission(request, event_id):
            self._site.cookies.forget_admission(response, event_id)  # it is used
        return response

    async def _place_as_somebody(
        self, request: Request, visitor: Visitor, event_id: UUID, wish: Wish, attempt: str
    ) -> Order:
        """Places the order, with the pass of the waiting room that the browser has. A visitor without a session becomes a guest."""
        key = idempotency_key(attempt, event_id, wish)
        found = self._site.cookies.admission(request, event_id)
        admission = found.token if found else None

        async def place(token: str) -> Order:
            places, seats = dict(wish.quantities), list(wish.seats)
            return await self._site.orders.place(token, event_id, places, seats, key, admission=admission)

        return await self._guests.act(self._site, request, visitor, event_id, attempt, place)

    async def _refused(
        self, request: Request, visitor: Visitor, event_id: UUID, wish: Wish, problem: ProviderProblem
    ) -> Response:
        """Back to the event's page, with what was chosen and is still free, and a sentence about what is not."""
        if problem.problem_code in NO_PASS:
            return await self._sent_back(request, visitor, event_id, problem)
        self._shop.places_changed(event_id)
        if problem.problem_code in {"not_on_sale", "event_cancelled"}:
            self._shop.event_changed(event_id)  # what is kept of it here says otherwise
        taken = frozenset[str](problem.facts.seat_ids if problem.problem_code == "seats_taken" else ())
        own = await own_orders(self._site, visitor, event_id)
        notice = await self._notice(event_id, problem, taken, own)
        return await self._event_page.show(
            request,
            visitor,
            event_id,
            wish=Wish(wish.quantities, tuple(one for one in wish.seats if one not in taken)),
            notices=(notice,),
            status=503 if notice is NOT_OPEN_YET else problem.status,
            also_taken=taken,
        )

    async def _sent_back(
        self, request: Request, visitor: Visitor, event_id: UUID, problem: ProviderProblem
    ) -> Response:
        """To the waiting room: places of this event are held only for who has been let in."""
        self._shop.sale_changed(event_id)  # perhaps it is not known here yet that there is one
        notice = replace(NO_PASS[problem.problem_code], href=queue_path(event_id), words="Go to the waiting room")
        response = await self._event_page.show(
            request, visitor, event_id, notices=(notice,), status=problem.status, has_lost_pass=True
        )
        self._site.cookies.forget_admission(response, event_id)
        return response

    async def _notice(
        self, event_id: UUID, problem: ProviderProblem, taken: frozenset[str], own: list[Order]
    ) -> Notice:
        event = (await self._shop.event(event_id)).value
        if problem.problem_code == "event_unknown":
            # Catalog knows the event, since there is a page; inventory will hear of it in a moment.
            return NOT_OPEN_YET
        if problem.problem_code == "seats_taken" and (mine := _holding_all(taken, own)):
            return replace(held_notice(mine, focus=True), title="These places are yours already.")
        if problem.problem_code == "seats_taken":
            house = await self._shop.house(event)
            names = formats.enumerate_names([house.name_of(one) if house else one for one in sorted(taken)])
            was = "was" if len(taken) == 1 else "were"
            return Notice(
                "error",
                "Somebody was quicker.",
                f"{names} {was} taken a moment ago. Your other seats are still chosen: pick another, then press again.",
                focus=True,
            )
        if problem.problem_code == "sold_out":
            return sold_out(problem.facts, event)
        if problem.problem_code in {"not_on_sale", "event_cancelled"}:
            return unsold_notice(problem, event.time_zone)
        if problem.problem_code == "order_still_open":
            return open_order_first(problem.facts, problem.detail)
        if problem.problem_code == "too_many_places":
            return too_many_places(event.max_per_order)
        return Notice(
            "error", "That did not work.", problem.detail or "Choose again, then press the button.", focus=True
        )


def wish_of(form: FormData) -> Wish:
    """What the buyer wishes by a form: fields `quantity-<class_id>` and `seat`. What cannot be read is not chosen."""
    quantities: dict[UUID, int] = {}
    seats: dict[str, None] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue
        if name == "seat" and value and len(value) <= LONGEST_SEAT_ID:
            seats[value] = None
        # Japanese keyboards write digits of another width.
        number = unicodedata.normalize("NFKC", value).strip()
        if name.startswith(_QUANTITY) and _NUMBER.fullmatch(number):
            try:
                quantities[UUID(name.removeprefix(_QUANTITY))] = int(number)
            except ValueError:
                continue
    return Wish(quantities, tuple(seats))


def too_many_places(max_per_order: int) -> Notice:
    """More than one order may have."""
    most = formats.count(max_per_order, "place", "places")
    return Notice("warning", f"At most {most} an order.", "Choose fewer, then press again.", focus=True)


def open_order_first(still_open: OrderStillOpen, sentence: str) -> Notice:
    """The buyer holds places of this event already, and these would be more than one order may have."""
    way_on = f"/orders/{still_open.order_id}"
    title = "Your open order comes first."
    return Notice("warning", title, sentence, focus=True, href=way_on, words="Go to your open order")


def idempotency_key(attempt: str, event_id: UUID, wish: Wish) -> str:
    """The same for the same wish on the same page, so that pressing twice orders once; another for another wish."""
    chosen = [
        attempt,
        event_id,
        sorted((str(one), many) for one, many in wish.quantities.items()),
        sorted(wish.seats),
    ]
    return hashlib.sha256(orjson.dumps(chosen)).hexdigest()


def unsold_notice(problem: ProviderProblem, time_zone: str) -> Notice:
    """Why what was asked for is not sold, and from when it will be, if that is known."""
    if problem.problem_code == "event_cancelled":
        return Notice("warning", "This event is cancelled.", "No tickets are sold. Nothing was charged.", focus=True)
    facts: NotOnSale = problem.facts
    if facts.begins_at is None:
        return Notice("warning", "These tickets are not on sale at the moment.", NOT_NOW, focus=True)
    later = begins_later(facts.begins_at, time_zone)
    return Notice("warning", later.title, later.text, focus=True)


def sold_out(gone: SoldOut, event: Event) -> Notice:
    """The class that has fewer places than wanted, and how many it has."""
    name = next((one.name for one in event.classes if one.class_id == gone.class_id), "These places")
    if gone.available > 0:
        only = formats.count(gone.available, "place is", "places are")
        return Notice("error", f"{name}: only {only} left.", "Choose fewer, then press again.", focus=True)
    text = "Choose another class, or look again later: places whose holds end come back on sale."
    return Notice("error", f"{name}: sold out.", text, focus=True)


def _holding_all(taken: frozenset[str], own: list[Order]) -> Order | None:
    """The visitor's order that holds these seats, if they are all in it."""
    return next((order for order in own if taken and taken <= own_seats([order])), None)
