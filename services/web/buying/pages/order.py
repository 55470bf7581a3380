"""The page of an order: to pay it, to watch it, to have its tickets."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from chassis.logs import log
from services.web.browsing.views import OLD_BECAUSE, Notice
from services.web.buying.pages.ordering import unsold_notice
from services.web.buying.views import may_prolong, order_view, ticket_view
from services.web.clients.accounts import Me
from services.web.clients.orders import Order
from services.web.clients.tickets import PdfFormat, Ticket
from services.web.frame import reader
from services.web.frame.cookies import Visitor
from services.web.frame.domain import FormTooOld, TicketsNotHere
from services.web.frame.formats import Moment
from services.web.frame.site import Site
from tracing.spans import note, span

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# As accounts takes it.
_LONGEST_NAME = 200
_LONGEST_EMAIL = 254
_LOG = log(__name__)

OLD_PAGE = Notice(
    "warning",
    "This page does not fit your browser any more.",
    f"{OLD_BECAUSE} Nothing was done. Press the button again.",
    focus=True,
)
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
class Contact:
    """Who the tickets are for, as far as it is known or written."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Said:
    """What a page says besides the order itself."""

    notices: tuple[Notice, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)
    contact: Contact | None = None
    status: int = 200


def make_orders_router(site: Site) -> APIRouter:
    """Pages of one order. They are its buyer's alone; anybody else gets the same answer as for no order."""
    router = APIRouter(include_in_schema=False)

    @router.get("/orders/{order_id}", dependencies=[open_to_all])
    async def show(request: Request, order_id: UUID) -> Response:
        async with site.viewer(request, order_id) as (visitor, token):
            return await _page(site, request, visitor, token, await site.orders.order(token, order_id))

    @router.get("/orders/{order_id}/open", dependencies=[open_to_all])
    async def open_from_mail(
        request: Request, order_id: UUID, key: Annotated[str, Query(max_length=2_000)]
    ) -> Response:
        """The link in a mail: it leaves its key in a cookie, so that no address that is copied further has it."""
        visitor = await site.visitors.recognise(request)
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
            return await _come_back(site, visitor, token, order_id)

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
        async with site.viewer(request, order_id) as (_, token):
            return await _pdf(site, token, order_id, format)

    return router


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


async def _come_back(site: Site, visitor: Visitor, token: str, order_id: UUID) -> Response:
    try:
        with span("web.refresh_order", {"onsale.order_id": str(order_id)}):
            note((await site.orders.refresh(token, order_id)).told())
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
            note(order.told())
        said = Said((_more_time_notice(order),), contact=contact)
    except FormTooOld:
        said = Said((OLD_PAGE,), status=403)
    except ProviderUnavailable:
        said = Said((NO_MORE_TIME_NOW,), contact=contact, status=503)
    except ProviderProblem as problem:
        if problem.problem_code not in ("hold_expired", "order_not_payable"):
            raise
        return site.renderer.go_to(f"/orders/{order_id}", visitor)
    return await _page(site, request, visitor, token, await site.orders.order(token, order_id), said)


def _more_time_notice(order: Order) -> Notice:
    until = Moment(order.hold_expires_at or order.created_at, order.event_time_zone)
    can_again = "You can ask again." if may_prolong(order) else "This is as long as places can be held."
    return Notice("info", f"You have time until {until.time} {until.zone_name}.", can_again, focus=True)


async def _cancel(site: Site, request: Request, visitor: Visitor, token: str, order_id: UUID) -> Response:
    try:
        await site.cookies.own_form(request, visitor)
        with span("web.cancel_order", {"onsale.order_id": str(order_id)}):
            note((await site.orders.cancel(token, order_id)).told())
    except FormTooOld:
        said = Said((OLD_PAGE,), status=403)
    except ProviderProblem as problem:
        if problem.problem_code != "order_not_cancellable":
            raise
        said = Said((TOO_LATE_TO_CANCEL,), status=problem.status)
    else:
        return site.renderer.go_to(f"/orders/{order_id}", visitor)
    return await _page(site, request, visitor, token, await site.orders.order(token, order_id), said)


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
    order = await site.orders.order(token, order_id)
    try:
        form = await site.cookies.own_form(request, visitor)
    except FormTooOld:
        return await _page(site, request, visitor, token, order, Said((OLD_PAGE,), status=403))
    contact = Contact(str(form.get("name") or "").strip(), str(form.get("email") or "").strip())
    errors = contact_errors(contact) or await _tell_contact(site, token, contact)
    if errors:
        return await _page(site, request, visitor, token, order, Said(errors=errors, contact=contact, status=422))
    return_url = f"{site.settings.public_url.rstrip('/')}/orders/{order_id}/return"
    try:
        with span("web.pay_order", order.told()):
            order = await site.orders.check_out(token, order_id, return_url)
            note(order.told())
    except ProviderUnavailable:
        return await _page(site, request, visitor, token, order, Said((NO_BANK,), contact=contact, status=503))
    except ProviderProblem as problem:
        if problem.problem_code == "hold_expired":
            order = await site.orders.order(token, order_id)
            return await _page(site, request, visitor, token, order, Said((TOO_LATE,), contact=contact, status=410))
        if problem.problem_code in {"event_cancelled", "not_on_sale"}:
            # Its page says how the event stands; a cancelled one takes the order along.
            order = await site.orders.order(token, order_id)
            said = Said((unsold_notice(problem, order.event_time_zone),), contact=contact, status=409)
            return await _page(site, request, visitor, token, order, said)
        if problem.problem_code != "order_not_payable":
            raise
        # It has moved on already, in another tab perhaps: its page says how far.
        return site.renderer.go_to(f"/orders/{order_id}", visitor)
    return site.renderer.go_to(order.redirect_url or f"/orders/{order_id}", visitor)


def contact_errors(contact: Contact) -> dict[str, str]:
    """What is wrong with a name and an e-mail address, by field, in words."""
    errors: dict[str, str] = {}
    if not contact.name:
        errors["name"] = "Write your name, so that the tickets have one."
    elif len(contact.name) > _LONGEST_NAME:
        errors["name"] = f"Write your name with at most {_LONGEST_NAME} letters."
    # What comes along when an address is pasted, and letters of another width, accounts takes away.
    if not _EMAIL.fullmatch(unicodedata.normalize("NFKC", contact.email)) or len(contact.email) > _LONGEST_EMAIL:
        errors["email"] = "Write your whole e-mail address, like name@example.org."
    return errors


async def _tell_contact(site: Site, token: str, contact: Contact) -> dict[str, str]:
    """Tells accounts, if it is new; what accounts does not like comes back by field."""
    me, language = await site.accounts.me(token), reader.language()
    if (me.name, me.email, me.language) == (contact.name, contact.email, language):
        return {}
    try:
        await site.accounts.tell_contact(token, contact.name, contact.email, language)
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
    site: Site, request: Request, visitor: Visitor, token: str, order: Order, said: Said | None = None
) -> Response:
    said = said or Said()
    note(order.told())
    tickets: list[Ticket] | None = []
    if order.state == "confirmed":
        tickets = await site.tickets.of_order_now(token, order.order_id)
    view = order_view(
        order,
        has_tickets=None if tickets is None else bool(tickets),
        has_returned=request.query_params.get("returned") == "1",
        trace_url=site.renderer.trace_url,
    )
    contact = said.contact or (await _known_contact(site, token) if view.phase in ("held", "declined") else Contact())
    return site.renderer.page(
        request,
        visitor,
        "buying/order.html",
        status=said.status,
        order=view,
        tickets=[ticket_view(ticket) for ticket in tickets or ()],
        contact=contact,
        errors=said.errors,
        notices=said.notices,
    )


async def _known_contact(site: Site, token: str) -> Contact:
    """What the person has told before, to save them from writing it again; nothing if that cannot be asked now."""
    try:
        me: Me = await site.accounts.me(token)
    except (ProviderUnavailable, ProviderProblem):
        # Accounts cannot be asked now, or who looks came by the link in a mail and is not the buyer.
        return Contact()
    return Contact(me.name or "", me.email or "")
