"""From chosen places to an order."""

import hashlib
import re
import unicodedata
from dataclasses import replace
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.held_places import held_notice, own_orders, own_seats
from services.web.browsing.pages import event_page
from services.web.browsing.views import OLD_BECAUSE, Choice, Notice
from services.web.browsing.words import begins_later
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
from services.web.frame.cookies import Visitor
from services.web.frame.domain import FormTooOld, SessionEnded
from services.web.frame.site import Site
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
OLD_PAGE = Notice(
    "warning",
    "This page does not fit your browser any more.",
    f"{OLD_BECAUSE} What you chose is still here: press the button again.",
    focus=True,
)
NOT_OPEN_YET = Notice(
    "warning",
    "This sale is being opened at this moment.",
    "What you chose is still here. Press the button again in a few seconds.",
    focus=True,
)
NO_ANSWER = Notice(
    "error",
    "We could not hold your places just now.",
    "What you chose is still here. Press the button again in a few seconds: you will not get them twice.",
    focus=True,
)


def make_ordering_router(site: Site) -> APIRouter:
    """The form of the event page."""
    router = APIRouter(include_in_schema=False)

    @router.post("/events/{event_id}/orders", dependencies=[open_to_all])
    async def order(request: Request, event_id: UUID) -> Response:
        visitor = await site.visitors.recognise(request)
        choice = choice_of(await request.form(max_files=0, max_fields=300))
        try:
            form = await site.cookies.own_form(request, visitor)
        except FormTooOld:
            return await event_page(site, request, visitor, event_id, choice=choice, notices=(OLD_PAGE,), status=403)
        if choice.is_empty:
            return await event_page(site, request, visitor, event_id, notices=(NOTHING_CHOSEN,), status=422)
        # What orders would not even look at.
        if choice.places > MOST_PLACES:
            most = (await site.shop.event(event_id)).value.max_per_order
            notices = (too_many_places(most),)
            return await event_page(site, request, visitor, event_id, choice=choice, notices=notices, status=422)
        if len(choice.quantities) > MOST_CLASSES:
            notices = (TOO_MANY_CLASSES,)
            return await event_page(site, request, visitor, event_id, choice=choice, notices=notices, status=422)
        attempt = str(form.get("attempt") or "")[:100]
        return await _place(site, request, visitor, event_id, choice, attempt)

    return router


def choice_of(form: FormData) -> Choice:
    """What a form chooses: fields `quantity-<class_id>` and `seat`. What cannot be read is not chosen."""
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
    return Choice(quantities, tuple(seats))


def too_many_places(max_per_order: int) -> Notice:
    """More than one order may have."""
    most = formats.count(max_per_order, "place", "places")
    return Notice("warning", f"At most {most} an order.", "Choose fewer, then press again.", focus=True)


def open_order_first(still_open: OrderStillOpen, sentence: str) -> Notice:
    """The buyer holds places of this event already, and these would be more than one order may have."""
    way_on = f"/orders/{still_open.order_id}"
    title = "Your open order comes first."
    return Notice("warning", title, sentence, focus=True, href=way_on, words="Go to your open order")


async def _place(
    site: Site, request: Request, visitor: Visitor, event_id: UUID, choice: Choice, attempt: str
) -> Response:
    try:
        with span("web.place_order", {"onsale.event_id": str(event_id), "onsale.places": choice.places}):
            order = await _ask(site, request, visitor, event_id, choice, attempt)
            note(order.told())
    except ProviderUnavailable:
        # Perhaps it was done all the same: the same attempt again finds it instead of doing it twice.
        return await event_page(
            site, request, visitor, event_id, choice=choice, attempt=attempt, notices=(NO_ANSWER,), status=503
        )
    except ProviderProblem as problem:
        return await _refused(site, request, visitor, event_id, choice, problem)
    response = site.renderer.go_to(f"/orders/{order.order_id}", visitor)
    site.cookies.remember_purchase(response, order.order_id, current_traceparent())
    return response


async def _ask(site: Site, request: Request, visitor: Visitor, event_id: UUID, choice: Choice, attempt: str) -> Order:
    """Places the order, as a guest if need be."""
    if visitor.session is None:
        await site.guests.become(visitor, site.cookies.caller(request), event_id, attempt)
    try:
        async with site.token_of(visitor) as token:
            return await site.orders.place(
                token, event_id, dict(choice.quantities), list(choice.seats), idempotency_key(attempt, event_id, choice)
            )
    except SessionEnded:
        # Whoever was signed in must know; a guest has nothing to lose and becomes a new one.
        if visitor.is_signed_in:
            raise
        visitor.has_ended()
        await site.guests.become(visitor, site.cookies.caller(request), event_id, attempt)
        async with site.token_of(visitor) as token:
            return await site.orders.place(
                token, event_id, dict(choice.quantities), list(choice.seats), idempotency_key(attempt, event_id, choice)
            )


def idempotency_key(attempt: str, event_id: UUID, choice: Choice) -> str:
    """The same for the same choice on the same page, so that pressing twice orders once; another for another choice."""
    chosen = [
        attempt,
        event_id,
        sorted((str(one), many) for one, many in choice.quantities.items()),
        sorted(choice.seats),
    ]
    return hashlib.sha256(orjson.dumps(chosen)).hexdigest()


async def _refused(
    site: Site, request: Request, visitor: Visitor, event_id: UUID, choice: Choice, problem: ProviderProblem
) -> Response:
    """Back to the event's page, with what was chosen and is still free, and a sentence about what is not."""
    site.shop.places_changed(event_id)
    if problem.problem_code in {"not_on_sale", "event_cancelled"}:
        site.shop.event_changed(event_id)  # what is kept of it here says otherwise
    taken = frozenset[str](problem.facts.seat_ids if problem.problem_code == "seats_taken" else ())
    own = await own_orders(site, visitor, event_id)
    notice = await _notice(site, event_id, problem, taken, own)
    return await event_page(
        site,
        request,
        visitor,
        event_id,
        choice=Choice(choice.quantities, tuple(one for one in choice.seats if one not in taken)),
        notices=(notice,),
        status=503 if notice is NOT_OPEN_YET else problem.status,
        also_taken=taken,
    )


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
    """Of which class there are not so many, and how many there are."""
    name = next((one.name for one in event.classes if one.class_id == gone.class_id), "These places")
    if gone.available > 0:
        only = formats.count(gone.available, "place is", "places are")
        return Notice("error", f"{name}: only {only} left.", "Choose fewer, then press again.", focus=True)
    text = "Choose another class, or look again later: places whose holds end come back on sale."
    return Notice("error", f"{name}: sold out.", text, focus=True)


def _holding_all(taken: frozenset[str], own: list[Order]) -> Order | None:
    """The visitor's order that holds these seats, if they are all in it."""
    return next((order for order in own if taken and taken <= own_seats([order])), None)


async def _notice(
    site: Site, event_id: UUID, problem: ProviderProblem, taken: frozenset[str], own: list[Order]
) -> Notice:
    event = (await site.shop.event(event_id)).value
    if problem.problem_code == "event_unknown":
        # Catalog knows it, else there would be no page: inventory will have heard of it in a moment.
        return NOT_OPEN_YET
    if problem.problem_code == "seats_taken" and (mine := _holding_all(taken, own)):
        return replace(held_notice(mine, focus=True), title="These places are yours already.")
    if problem.problem_code == "seats_taken":
        house = await site.shop.house(event)
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
    return Notice("error", "That did not work.", problem.detail or "Choose again, then press the button.", focus=True)
