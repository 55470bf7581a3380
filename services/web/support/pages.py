"""Pages for support: an order's whole life, for who has the support key. Without one set they do not exist."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.documented import refuses
from chassis.http import ProviderUnavailable
from chassis.identity import open_to_all
from chassis.logs import log
from services.web.clients.orders import OrderHead
from services.web.frame.domain import FormTooOld, PageUnknown
from services.web.frame.notices import Notice, page_too_old
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.support.access import Access
from services.web.support.domain import (
    OrderNotFound,
    SupportKeyWrong,
    TooManyTries,
    normal_number,
    order_id_of,
)
from services.web.support.key_page import key_page
from services.web.support.story import Storyteller
from services.web.support.views import StoryOut, page_of, story_out
from tracing.reader import normal_trace_id

_OLD_PAGE = page_too_old("Nothing was done. Write it once more.")
_WRONG_KEY = Notice(
    "error", "That is not the key.", "Look at it again. It is among the secrets of this shop.", focus=True
)
_WAIT = Notice("error", "Too many wrong keys were tried.", "Wait a minute, then try again.", focus=True)
_NO_ORDERS = Notice(
    "error",
    "Orders does not answer at the moment.",
    "Without it no order can be found. Try again in a minute.",
    focus=True,
)
_NO_NUMBER = Notice(
    "warning",
    "No order has this number.",
    "Numbers look like G3D3-BGVZ; they are on the order's page and in its mail.",
    focus=True,
)
_NO_TRACE = Notice(
    "warning",
    "No order was placed in this trace.",
    "It may be about something else than an order, or its order was placed in another trace.",
    focus=True,
)
_LOG = log(__name__)


def make_support_router(site: Site, access: Access, storyteller: Storyteller) -> APIRouter:
    """How support comes in, looks an order up, and leaves."""
    router = APIRouter(include_in_schema=False)

    @router.get("/support", dependencies=[open_to_all])
    async def support_page(request: Request, q: str = "") -> Response:
        visitor = await site.recognise(request)
        if not await access.is_in(request):
            return key_page(site, request, visitor)
        return await _looked_up(site, request, visitor, q) if q.strip() else _search_page(site, request, visitor)

    @router.post("/support/enter", dependencies=[open_to_all])
    async def enter(request: Request) -> Response:
        return await _enter(site, access, request)

    @router.post("/support/leave", dependencies=[open_to_all])
    async def leave(request: Request) -> Response:
        visitor = await site.recognise(request)
        if await access.is_in(request):
            await site.cookies.own_form(request, visitor)
        response = site.renderer.go_to("/support", visitor)
        await access.let_out(request, response)
        return response

    @router.get("/support/orders/{number}", dependencies=[open_to_all])
    async def story_page(request: Request, number: str) -> Response:
        visitor = await site.recognise(request)
        if not await access.is_in(request):
            return key_page(site, request, visitor, number=number)
        try:
            head = await _head(site, number, "page")
        except OrderNotFound:
            return _search_page(site, request, visitor, _NO_NUMBER, 404, words=number)
        except ProviderUnavailable:
            return _search_page(site, request, visitor, _NO_ORDERS, 503, words=number)
        story = page_of(await storyteller.story_of(head), site.renderer.trace_url)
        return site.renderer.page(request, visitor, "support/story.html", here="support", story=story)

    return router


def make_support_api_router(site: Site, access: Access, storyteller: Storyteller) -> APIRouter:
    """The same for programs."""
    router = APIRouter()

    @router.get(
        "/api/support/orders/{number}",
        dependencies=[open_to_all],
        responses=refuses(PageUnknown, OrderNotFound, SupportKeyWrong, TooManyTries, without=("orders",)),
    )
    async def story(request: Request, response: Response, number: str) -> StoryOut:
        """An order's whole life, for programs that send the support key as `Authorization: Bearer`."""
        way = await access.check_program(request)
        response.headers["Cache-Control"] = "no-store"
        head = await _head(site, number, way)
        return story_out(await storyteller.story_of(head), site.renderer.trace_url)

    return router


async def _head(site: Site, number: str, way: str) -> OrderHead:
    """The order of a number, or of an id. Each look is written down: which order, and how who looked came in."""
    if (order_id := order_id_of(number)) is not None:
        wanted, found = str(order_id), await site.orders.with_id(order_id)
    else:
        wanted = normal_number(number)
        found = await site.orders.with_number(wanted)
    _LOG.info("support looked an order up", order=wanted, found=bool(found), way=way)
    if not found:
        raise OrderNotFound(wanted)
    return found[0]


async def _enter(site: Site, access: Access, request: Request) -> Response:
    visitor = await site.recognise(request)
    access.exists()  # without support there is nothing to enter
    try:
        form = await site.cookies.own_form(request, visitor)
        opened = access.opens(str(form.get("key") or "").strip())
    except FormTooOld:
        return key_page(site, request, visitor, _OLD_PAGE, 403)
    except TooManyTries:
        return key_page(site, request, visitor, _WAIT, 429)
    number = str(form.get("number") or "")
    if not opened:
        _LOG.warning("a wrong support key was tried")
        return key_page(site, request, visitor, _WRONG_KEY, 401, number=number)
    sale = order_id_of(str(form.get("sale") or ""))
    response = site.renderer.go_to(f"/support/sales/{sale}" if sale else _story_path(number), visitor)
    access.let_in(response)
    _LOG.info("somebody of support came in")
    return response


def _story_path(number: str) -> str:
    """The page to which somebody goes on after signing in: a form's field must not lead to another site."""
    if (order_id := order_id_of(number)) is not None:
        return f"/support/orders/{order_id}"
    try:
        return f"/support/orders/{normal_number(number)}"
    except OrderNotFound:
        return "/support"


async def _looked_up(site: Site, request: Request, visitor: Visitor, words: str) -> Response:
    """From what was written to a story: by number, by id, or by trace."""
    if (path := _story_path(words)) != "/support":
        return site.renderer.go_to(path, visitor)
    try:
        trace_id = normal_trace_id(words)
        heads = await site.orders.of_trace(trace_id)
    except ValueError:
        return _search_page(site, request, visitor, _NO_NUMBER, 404, words=words)
    except ProviderUnavailable:
        return _search_page(site, request, visitor, _NO_ORDERS, 503, words=words)
    _LOG.info("support looked a trace up", looked_for=trace_id, orders=len(heads))
    if len(heads) == 1:
        return site.renderer.go_to(_story_path(heads[0].number), visitor)
    link = f"{site.renderer.trace_url}/trace/{trace_id}" if site.renderer.trace_url else None
    notice, status = (None, 200) if heads else (_NO_TRACE, 404)
    return _search_page(site, request, visitor, notice, status, words=words, heads=heads, trace_link=link)


def _search_page(
    site: Site, request: Request, visitor: Visitor, notice: Notice | None = None, status: int = 200, **shown: Any
) -> Response:
    empty: dict[str, Any] = {"words": "", "heads": [], "trace_link": None}
    notices = [notice] if notice else []
    return site.renderer.page(
        request, visitor, "support/search.html", status=status, here="support", notices=notices, **(empty | shown)
    )
