"""The page of an order: to pay it, to watch it, to have its tickets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from chassis.logs import log
from services.web.buying.domain import Contact, TicketsNotHere, contact_errors
from services.web.buying.issued_tickets import IssuedTickets
from services.web.buying.just_placed import JustPlaced
from services.web.buying.pages.ordering import unsold_notice
from services.web.buying.ticket_views import ticket_view
from services.web.buying.views import may_prolong, order_view
from services.web.clients.accounts import Me
from services.web.clients.orders import Order
from services.web.clients.tickets import PdfFormat, Ticket
from services.web.frame import reader
from services.web.frame.domain import FormTooOld, OrderNotHere, SessionEnded
from services.web.frame.formats import Moment
from services.web.frame.notices import Notice, page_too_old
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from tracing.spans import note, span

_LOG = log(__name__)

OLD_PAGE = page_too_old("Nothing was done. Press the button again.")
NO_BANK = Notice(
    "error",
    "We cannot reach the bank at the moment.",
    "Nothing was charged, and your places are still held. Try again in a few seconds.",
    focus=True,
)
NO_MORE_TIME_NOW = Notice(
    "error",
    "We could not give you more time just now.",
    "Your places are held as before. Press the button again in a few seconds.",
    focus=True,
)
TOO_LATE = Notice("error", "The time to pay is over.", "Your places go back on sale. Nothing was charged.", focus=True)
TOO_LATE_TO_CANCEL = Notice(
    "warning", "This order cannot be cancelled any more.", "What you see below is how it stands.", focus=True
)


@dataclass(frozen=True)
class Extras:
    """What a page shows besides the order itself."""

    notices: tuple[Notice, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    contact: Contact | None = None
    status: int = 200


def make_order_router(site: Site, issued: IssuedTickets, just_placed: JustPlaced) -> APIRouter:
    """Pages of one order. They are its buyer's alone; anybody else gets the same answer as for no order."""
    router = APIRouter(include_in_schema=False)

    @router.get("/orders/{order_id}", dependencies=[open_to_all])
    async def show(request: Request, order_id: UUID) -> Response:
        async with _viewer(site, request, order_id) as (visitor, token):
            # Who is back from the bank wants to see what has happened there.
            kept = None if "returned" in request.query_params else just_placed.take(visitor, order_id)
            order = kept or await site.orders.order(token, order_id)
            return await _page(site, request, visitor, token, order)

    @router.get("/orders/{order_id}/open", dependencies=[open_to_all])
    async def open_from_mail(
        request: Request, order_id: UUID, key: Annotated[str, Query(max_length=2_000)]
    ) -> Response:
        """The link in a mail: it leaves its key in a cookie, so that no address that is copied further has it."""
        visitor = await site.recognise(request)
        response = site.renderer.go_to(f"/orders/{order_id}", visitor)
        if await _opens(site, order_id, key):
            site.cookies.remember_pass(response, order_id, key)
        return response

    @router.post("/orders/{order_id}/pay", dependencies=[open_to_all])
    async def pay(request: Request, order_id: UUID) -> Response:
        async with site.person(request) as (visitor, token):
            return await _pay(site, request, visitor, token, order_id)

    @router.get("/orders/{order_id}/return", dependencies=[open_to_all])
    async def come_back(request: Request, order_id: UUID) -> Response:
        async with site.person(request) as (visitor, token):
            return await _come_back(site, request, visitor, token, order_id, issued)

    @router.post("/orders/{order_id}/more-time", dependencies=[open_to_all])
    async def more_time(request: Request, order_id: UUID) -> Response:
        async with site.person(request) as (visitor, token):
            return await _more_time(site, request, visitor, token, order_id)

    @router.post("/orders/{order_id}/cancel", dependencies=[open_to_all])
    async def cancel(request: Request, order_id: UUID) -> Response:
        async with site.person(request) as (visitor, token):
            return await _cancel(site, request, visitor, token, order_id)

    @router.get("/orders/{order_id}/tickets.pdf", dependencies=[open_to_all])
    async def pdf(request: Request, order_id: UUID, format: PdfFormat = "a4") -> Response:  # noqa: A002  # the address says so
        async with _viewer(site, request, order_id) as (_, token):
            return await _pdf(site, token, order_id, format)

    return router


@asynccontextmanager
async def _viewer(site: Site, request: Request, order_id: UUID) -> AsyncIterator[tuple[Visitor, str]]:
    """The person for whom an order is shown: its buyer, or a visitor with the link of the buyer's mail. Others get OrderNotHere."""
    visitor = await site.recognise(request)
    order_pass = site.cookies.order_pass(request)
    if order_pass is None or await _is_buyer(site, visitor, order_id):
        async with site.token_of(visitor) as token:
            yield visitor, token
        return
    try:
        yield visitor, order_pass
    except ProviderProblem as problem:
        if problem.status == HTTPStatus.UNAUTHORIZED or problem.problem_code == "order_unknown":
            raise OrderNotHere from problem
        raise


async def _is_buyer(site: Site, visitor: Visitor, order_id: UUID) -> bool:
    """Whether the order is the visitor's own, who may do more with it than look."""
    try:
        async with site.token_of(visitor) as token:
            await site.orders.order(token, order_id)
    except (OrderNotHere, SessionEnded):
        return False
    return True


async def _opens(site: Site, order_id: UUID, key: str) -> bool:
    """Whether a link may leave its key: a broken one must not take the place of one that is good."""
    if not site.cookies.is_pass(key):
        return False
    try:
        await site.orders.order(key, order_id)
    except ProviderProblem:
        return False
    except ProviderUnavailable:
        return True  # nobody can tell now; the order's page asks again
    return True


async def _come_back(
    site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID, issued: IssuedTickets
) -> Response:
    """The page of an order that is confirmed by now, without another question; the way to the page of one that has to wait."""
    try:
        with span("web.refresh_order", {"onsale.order_id": str(order_id)}):
            order = await site.orders.refresh(token, order_id)
            note(order.attributes())
        if order.state == "confirmed":
            await issued.await_for_a_moment(order_id)
            return await _page(site, request, visitor, token, order)
    except ProviderUnavailable:
        # The bank tells orders by itself too; the page waits for that.
        _LOG.info("an order could not be refreshed on the way back", order_id=str(order_id))
    return site.renderer.go_to(f"/orders/{order_id}?returned=1", visitor)


async def _more_time(site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID) -> Response:
    """The hold lasts longer; what was written into the form already is still there."""
    contact = None
    try:
        form = await site.cookies.own_form(request, visitor)
        contact = Contact(str(form.get("name") or "").strip(), str(form.get("email") or "").strip())
        with span("web.prolong_order", {"onsale.order_id": str(order_id)}):
            order = await site.orders.prolong(token, order_id)
            note(order.attributes())
        extras = Extras((_more_time_notice(order),), contact=contact)
    except FormTooOld:
        extras = Extras((OLD_PAGE,), status=403)
    except ProviderUnavailable:
        extras = Extras((NO_MORE_TIME_NOW,), contact=contact, status=503)
    except ProviderProblem as problem:
        if problem.problem_code not in ("hold_expired", "order_not_payable"):
            raise
        return site.renderer.go_to(f"/orders/{order_id}", visitor)
    return await _page(site, request, visitor, token, await site.orders.order(token, order_id), extras)


def _more_time_notice(order: Order) -> Notice:
    until = Moment(order.hold_expires_at or order.created_at, order.event_time_zone)
    can_again = "You can ask again." if may_prolong(order) else "This is as long as places can be held."
    return Notice("info", f"You have time until {until.time} {until.zone_name}.", can_again, focus=True)


async def _cancel(site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID) -> Response:
    try:
        await site.cookies.own_form(request, visitor)
        with span("web.cancel_order", {"onsale.order_id": str(order_id)}):
            note((await site.orders.cancel(token, order_id)).attributes())
    except FormTooOld:
        extras = Extras((OLD_PAGE,), status=403)
    except ProviderProblem as problem:
        if problem.problem_code != "order_not_cancellable":
            raise
        extras = Extras((TOO_LATE_TO_CANCEL,), status=problem.status)
    else:
        return site.renderer.go_to(f"/orders/{order_id}", visitor)
    return await _page(site, request, visitor, token, await site.orders.order(token, order_id), extras)


async def _pdf(site: Site, token: str, order_id: UUID, pdf_format: PdfFormat) -> Response:
    try:
        content = await site.tickets.pdf(token, order_id, pdf_format)
    except ProviderProblem as problem:
        if problem.problem_code == "tickets_unknown":
            raise TicketsNotHere from problem
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="onsale-tickets-{pdf_format}.pdf"',
        "Cache-Control": "private, no-store",
    }
    return Response(content, headers=headers, media_type="application/pdf")


async def _pay(site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID) -> Response:
    """The way to the bank, or the order's page again: only for that the order is asked for."""
    try:
        form = await site.cookies.own_form(request, visitor)
    except FormTooOld:
        order = await site.orders.order(token, order_id)
        return await _page(site, request, visitor, token, order, Extras((OLD_PAGE,), status=403))
    contact = Contact(str(form.get("name") or "").strip(), str(form.get("email") or "").strip())
    errors = contact_errors(contact) or await _keep_contact(site, token, contact)
    if errors:
        order = await site.orders.order(token, order_id)
        return await _page(site, request, visitor, token, order, Extras(errors=errors, contact=contact, status=422))
    response = await _check_out(site, request, visitor, token, order_id, contact)
    if not visitor.is_signed_in:
        # From now on accounts is asked for the contact of this guest: before, there was nothing to know.
        site.cookies.remember_contact(response)
    return response


async def _check_out(
    site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID, contact: Contact
) -> Response:
    return_url = f"{site.settings.public_url.rstrip('/')}/orders/{order_id}/return"
    try:
        with span("web.pay_order", {"onsale.order_id": str(order_id)}):
            order = await site.orders.check_out(token, order_id, return_url)
            note(order.attributes())
    except ProviderUnavailable:
        order = await site.orders.order(token, order_id)
        return await _page(site, request, visitor, token, order, Extras((NO_BANK,), contact=contact, status=503))
    except ProviderProblem as problem:
        if problem.problem_code == "order_not_payable":
            # The order has moved on already, in another tab perhaps: its page says how far.
            return site.renderer.go_to(f"/orders/{order_id}", visitor)
        if problem.problem_code not in ("hold_expired", "event_cancelled", "not_on_sale"):
            raise
        order = await site.orders.order(token, order_id)
        extras = Extras((TOO_LATE,), contact=contact, status=410)
        if problem.problem_code != "hold_expired":
            # The order's page says how the event stands: an order ends with its event.
            extras = Extras((unsold_notice(problem, order.event_time_zone),), contact=contact, status=409)
        return await _page(site, request, visitor, token, order, extras)
    return site.renderer.go_to(order.redirect_url or f"/orders/{order_id}", visitor)


async def _keep_contact(site: Site, token: str, contact: Contact) -> dict[str, str]:
    """Hands the contact to accounts, new or not; what accounts does not like comes back by field."""
    try:
        await site.accounts.tell_contact(token, contact.name, contact.email, reader.language())
    except ProviderProblem as problem:
        if problem.problem_code == "email_taken":
            return {"email": "This address belongs to another account. Write another one, or sign in with it."}
        if problem.problem_code == "email_invalid":
            return {"email": "This e-mail address does not look right. Look at it again."}
        if problem.problem_code == "name_invalid":
            return {"name": problem.detail or "Write your name in one line, so that the tickets have one."}
        raise
    return {}


async def _page(
    site: Site, request: Request, visitor: Visitor, token: str, order: Order, extras: Extras | None = None
) -> Response:
    extras = extras or Extras()
    note(order.attributes())
    tickets: list[Ticket] | None = []
    if order.state == "confirmed":
        tickets = await site.tickets.of_order_now(token, order.order_id)
    view = order_view(
        order,
        has_tickets=None if tickets is None else bool(tickets),
        has_returned=request.query_params.get("returned") == "1",
        trace_url=site.renderer.trace_url,
    )
    contact = extras.contact or Contact()
    if extras.contact is None and view.phase in ("held", "declined") and _may_be_known(site, request, visitor):
        contact = await _known_contact(site, token)
    return site.renderer.page(
        request,
        visitor,
        "buying/order.html",
        status=extras.status,
        order=view,
        tickets=[ticket_view(ticket) for ticket in tickets or ()],
        contact=contact,
        errors=extras.errors,
        notices=extras.notices,
    )


def _may_be_known(site: Site, request: Request, visitor: Visitor) -> bool:
    """Whether accounts may know the visitor's contact: not of a guest who has told none in this browser."""
    return visitor.is_signed_in or site.cookies.has_told_contact(request)


async def _known_contact(site: Site, token: str) -> Contact:
    """What the person has written before, to save them from writing it again; nothing if that cannot be asked now."""
    try:
        me: Me = await site.accounts.me(token)
    except (ProviderUnavailable, ProviderProblem):
        # Accounts cannot be asked now, or who looks came by the link in a mail and is not the buyer.
        return Contact()
    return Contact(me.name or "", me.email or "")
