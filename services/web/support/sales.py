"""The page of a sale with a waiting room, for whoever runs it: announced, looked at, and steered while it runs."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from chassis.logs import log
from services.web.clients.catalog import CatalogClient, Event
from services.web.clients.waitingroom import Sale, Steering, WaitingroomClient
from services.web.frame.domain import FormTooOld, PageUnknown
from services.web.frame.notices import Notice
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.support.access import Access
from services.web.support.key_page import key_page
from services.web.support.sale_words import (
    HAS_BEGUN,
    NO_CHALLENGE,
    NO_SALE,
    NO_WAITINGROOM,
    NOT_READABLE,
    OLD_PAGE,
    STEERED,
    announcement_of,
    sale_view,
    speed_of,
    written_of,
)

# What a button alone does.
SIMPLE = {
    "pause": Steering(paused=True),
    "go-on": Steering(paused=False),
    "end": Steering(ended=True),
    "ask-proof": Steering(challenge=True),
    "ask-none": Steering(challenge=False),
}
REFUSED = {"sale_has_begun": HAS_BEGUN, "sale_unknown": NO_SALE, "no_challenge": NO_CHALLENGE}
FIELDS = ("doors_open_at", "starts_at", "rate", "most_active")
LONGEST_FIELD = 40
_LOG = log(__name__)


def make_sales_router(site: Site, access: Access, catalog: CatalogClient, waitingroom: WaitingroomClient) -> APIRouter:
    """How a sale is announced and steered, for who has the support key."""
    router = APIRouter(include_in_schema=False)
    desk = SalesDesk(site, access, catalog, waitingroom)

    @router.get("/support/sales/{event_id}", dependencies=[open_to_all])
    async def sale_page(request: Request, event_id: UUID, done: str = "") -> Response:
        visitor = await site.recognise(request)
        if not await access.is_in(request):
            return key_page(site, request, visitor, sale=event_id)
        notice = Notice("info", STEERED[done], focus=True) if done in STEERED else None
        return await desk.show(request, visitor, event_id, notice)

    @router.post("/support/sales/{event_id}", dependencies=[open_to_all])
    async def announce(request: Request, event_id: UUID) -> Response:
        return await desk.act(request, event_id, "announce")

    @router.post("/support/sales/{event_id}/steer", dependencies=[open_to_all])
    async def steer(request: Request, event_id: UUID) -> Response:
        return await desk.act(request, event_id, "steer")

    return router


class SalesDesk:
    """Shows a sale, and does what its forms ask for."""

    def __init__(self, site: Site, access: Access, catalog: CatalogClient, waitingroom: WaitingroomClient) -> None:
        self._site = site
        self._access = access
        self._catalog = catalog
        self._waitingroom = waitingroom

    async def act(self, request: Request, event_id: UUID, what: str) -> Response:
        """Announces or steers the sale, and leads back to its page. Who has no key is asked for it."""
        visitor = await self._site.recognise(request)
        if not await self._access.is_in(request):
            return key_page(self._site, request, visitor, sale=event_id)
        try:
            form = await self._site.cookies.own_form(request, visitor)
            return await (self._announce if what == "announce" else self._steer)(request, visitor, event_id, form)
        except FormTooOld:
            return await self.show(request, visitor, event_id, OLD_PAGE, 403)
        except ProviderUnavailable:
            return await self.show(request, visitor, event_id, NO_WAITINGROOM, 503)
        except ProviderProblem as problem:
            if problem.problem_code not in REFUSED:
                raise
            return await self.show(request, visitor, event_id, REFUSED[problem.problem_code], problem.status)

    async def _announce(self, request: Request, visitor: Visitor, event_id: UUID, form: FormData) -> Response:
        written = _written(form)
        wished, errors = announcement_of(written, (await self._event(event_id)).time_zone)
        if wished is None:
            return await self.show(request, visitor, event_id, NOT_READABLE, 422, written=written, errors=errors)
        await self._waitingroom.announce(event_id, wished)
        return self._done(visitor, event_id, "announce")

    async def _steer(self, request: Request, visitor: Visitor, event_id: UUID, form: FormData) -> Response:
        button, written = str(form.get("do") or ""), _written(form)
        if button in SIMPLE:
            await self._waitingroom.steer(event_id, SIMPLE[button])
            return self._done(visitor, event_id, button)
        rate, most_active, errors = speed_of(written)
        if errors:
            return await self.show(request, visitor, event_id, NOT_READABLE, 422, written=written, errors=errors)
        await self._waitingroom.steer(event_id, Steering(rate=rate, most_active=most_active))
        return self._done(visitor, event_id, "change")

    def _done(self, visitor: Visitor, event_id: UUID, what: str) -> Response:
        _LOG.info("support steered a sale", event_id=str(event_id), what=what)
        return self._site.renderer.go_to(f"/support/sales/{event_id}?done={what}", visitor)

    async def show(
        self,
        request: Request,
        visitor: Visitor,
        event_id: UUID,
        notice: Notice | None = None,
        status: int = 200,
        **more: Any,
    ) -> Response:
        """The page of a sale: how it stands, and the forms. Of one that is not announced, the form that does so."""
        event = await self._event(event_id)
        is_unseen = False
        try:
            sale = await self._sale(event_id)
        except ProviderUnavailable:
            sale, notice, status, is_unseen = None, NO_WAITINGROOM, 503, True
        shown: dict[str, Any] = {"written": written_of(sale, event.time_zone), "errors": {}}
        return self._site.renderer.page(
            request,
            visitor,
            "support/sale.html",
            status=status,
            here="support",
            event=event,
            sale=sale_view(sale, event.time_zone) if sale else None,
            is_unseen=is_unseen,
            notices=[notice] if notice else [],
            **(shown | more),
        )

    async def _event(self, event_id: UUID) -> Event:
        """The event. Raises PageUnknown for one that catalog does not know."""
        try:
            return await self._catalog.event(event_id)
        except ProviderProblem as problem:
            if problem.problem_code == "event_unknown":
                raise PageUnknown from problem
            raise

    async def _sale(self, event_id: UUID) -> Sale | None:
        try:
            return await self._waitingroom.sale(event_id)
        except ProviderProblem as problem:
            if problem.problem_code == "sale_unknown":
                return None
            raise


def _written(form: FormData) -> dict[str, str]:
    """The fields as they were written, also for showing them again."""
    return {name: str(form.get(name) or "")[:LONGEST_FIELD] for name in FIELDS}
