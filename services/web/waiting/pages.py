"""The waiting room's page: joining, waiting, coming in; and the number that all of its pages ask for."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from chassis.http import ProviderBusyForYou, ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.browsing.shop import Shop
from services.web.clients.waitingroom import LONGEST_SOLUTION, Sale, Standing, WaitingroomClient
from services.web.frame.cookies import Admission
from services.web.frame.domain import FormTooOld, OrderNotHere, SessionEnded
from services.web.frame.notices import Notice
from services.web.frame.signing import new_secret
from services.web.frame.site import Site
from services.web.frame.sockets import Sockets, no_socket
from services.web.frame.visitors import Visitor
from services.web.people.guests import Guests
from services.web.waiting.domain import NoWaitingRoom
from services.web.waiting.now_serving import NowServing
from services.web.waiting.queue_rooms import queue_rooms
from services.web.waiting.views import RELOAD_SECONDS, queue_view
from services.web.waiting.words import NO_QUEUE, NOT_YET, OLD_PAGE, PROOF_REFUSED, TOO_MANY, TURN_OVER
from tracing.spans import note, span

# A proxy may keep the number for a second, for everybody.
SERVING_HEADERS = {"Cache-Control": "public, max-age=1"}


def make_waiting_router(
    site: Site, shop: Shop, waitingroom: WaitingroomClient, now_serving: NowServing, guests: Guests, sockets: Sockets
) -> APIRouter:
    """The waiting room of an event."""
    router = APIRouter(include_in_schema=False)
    rooms = queue_rooms(now_serving)
    room = WaitingRoom(site, shop, waitingroom, now_serving, guests)

    @router.get("/events/{event_id}/queue", dependencies=[open_to_all])
    async def queue(request: Request, event_id: UUID) -> Response:
        return await room.show(request, await site.recognise(request), event_id)

    @router.get("/events/{event_id}/queue/serving", dependencies=[open_to_all])
    async def serving(event_id: UUID) -> Response:
        return JSONResponse(await now_serving.answer(event_id), headers=SERVING_HEADERS)

    router.get("/live/events/{event_id}/queue", dependencies=[open_to_all])(no_socket)

    @router.websocket("/live/events/{event_id}/queue", dependencies=[open_to_all])
    async def live_queue(socket: WebSocket, event_id: UUID, have: str = "") -> None:
        await sockets.serve(socket, lambda listener: rooms.joined(event_id, listener, have))

    @router.post("/events/{event_id}/queue", dependencies=[open_to_all])
    async def join(request: Request, event_id: UUID) -> Response:
        return await room.join(request, event_id)

    @router.post("/events/{event_id}/queue/challenge", dependencies=[open_to_all])
    async def challenge(request: Request, event_id: UUID) -> Response:
        return await room.challenge(request, event_id)

    @router.post("/events/{event_id}/queue/pass", dependencies=[open_to_all])
    async def come_in(request: Request, event_id: UUID) -> Response:
        return await room.come_in(request, event_id)

    return router


class WaitingRoom:
    """Shows somebody how they stand, puts them into the queue, and lets them in when it is their turn."""

    def __init__(
        self, site: Site, shop: Shop, waitingroom: WaitingroomClient, now_serving: NowServing, guests: Guests
    ) -> None:
        self._site = site
        self._shop = shop
        self._waitingroom = waitingroom
        self._now_serving = now_serving
        self._guests = guests

    async def show(
        self, request: Request, visitor: Visitor, event_id: UUID, notice: Notice | None = None, status: int = 200
    ) -> Response:
        """The page. An event without a waiting room is bought on its own page."""
        event = (await self._shop.event(event_id)).value
        notices = [notice] if notice else []
        try:
            sale, standing = await self._standing(visitor, event_id)
        except NoWaitingRoom:
            return self._site.renderer.go_to(f"/events/{event_id}", visitor)
        except ProviderUnavailable:
            template = "waiting/unseen.html"
            again: dict[str, Any] = {
                "path": f"/events/{event_id}/queue",
                "reload_seconds": RELOAD_SECONDS,
                "title": event.title,
            }
            return self._site.renderer.page(request, visitor, template, status=503, notices=notices, **again)
        return self._site.renderer.page(
            request,
            visitor,
            "waiting/queue.html",
            status=status,
            queue=queue_view(event, sale, standing, self._now_serving.pace(event_id).a_minute(), datetime.now(UTC)),
            attempt=new_secret(),
            notices=notices,
        )

    async def _standing(self, visitor: Visitor, event_id: UUID) -> tuple[Sale, Standing | None]:
        """The sale, and how the visitor stands in its queue; None for who has not joined."""
        try:
            async with self._site.token_of(visitor) as token:
                standing = await self._waitingroom.standing(token, event_id)
        except (OrderNotHere, SessionEnded):
            # A stranger, or somebody whose session is over: they may join.
            return await self._now_serving.sale(event_id), None
        except ProviderProblem as problem:
            if problem.problem_code not in {"not_in_queue", "sale_unknown"}:
                raise
            return await self._now_serving.sale(event_id), None
        return standing.sale, standing

    async def _not_taken(self, request: Request, visitor: Visitor, event_id: UUID) -> Response:
        """The page again, for a form that is not ours; without a waiting room there is no page to show."""
        try:
            await self._now_serving.sale(event_id)
        except NoWaitingRoom as nothing:
            raise FormTooOld from nothing
        return await self.show(request, visitor, event_id, OLD_PAGE, 403)

    async def challenge(self, request: Request, event_id: UUID) -> Response:
        """What the page's script is to compute before its form is sent, as JSON; null if there is nothing.

        The script sends the form in any case, and what was not right is said in answer to that.
        """
        await self._site.cookies.own_form(request, await self._site.recognise(request))
        try:
            puzzle = await self._waitingroom.puzzle(event_id)
        except (ProviderProblem, ProviderUnavailable):
            puzzle = "null"
        return Response(puzzle, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def join(self, request: Request, event_id: UUID) -> Response:
        """Into the queue. A visitor without an account becomes a guest, as when ordering."""
        visitor = await self._site.recognise(request)
        try:
            form = await self._site.cookies.own_form(request, visitor)
        except FormTooOld:
            return await self._not_taken(request, visitor, event_id)
        attempt = str(form.get("attempt") or "")[:100]
        solution = str(form.get("solution") or "")[:LONGEST_SOLUTION] or None
        address = self._site.cookies.hidden_address(request, event_id)
        try:
            with span("web.join_queue", {"onsale.event_id": str(event_id)}):
                standing = await self._guests.act(
                    self._site,
                    request,
                    visitor,
                    event_id,
                    attempt,
                    lambda token: self._waitingroom.join(token, event_id, address, solution),
                )
                note({"onsale.entry_id": str(standing.entry_id)})
        except ProviderUnavailable as error:
            is_full = isinstance(error, ProviderBusyForYou)
            page = await self.show(request, visitor, event_id, *((TOO_MANY, 429) if is_full else (NO_QUEUE, 503)))
            page.headers["Retry-After"] = str(error.retry_after_seconds)
            return page
        except ProviderProblem as problem:
            # What is kept of the sale may be from before: the page says how it stands now.
            self._now_serving.changed(event_id)
            if refused := PROOF_REFUSED.get(problem.problem_code):
                return await self.show(request, visitor, event_id, refused, problem.status)
            if problem.problem_code not in {"doors_closed", "sale_ended", "sale_unknown"}:
                raise
        return self._site.renderer.go_to(f"/events/{event_id}/queue", visitor)

    async def come_in(self, request: Request, event_id: UUID) -> Response:
        """With a pass to the event's page, where places can be chosen."""
        visitor = await self._site.recognise(request)
        try:
            await self._site.cookies.own_form(request, visitor)
            with span("web.come_in", {"onsale.event_id": str(event_id)}):
                async with self._site.token_of(visitor) as token:
                    found = await self._waitingroom.come_in(token, event_id)
        except FormTooOld:
            return await self._not_taken(request, visitor, event_id)
        except (OrderNotHere, SessionEnded):
            return self._site.renderer.go_to(f"/events/{event_id}/queue", visitor)
        except ProviderUnavailable:
            return await self.show(request, visitor, event_id, NO_QUEUE, 503)
        except ProviderProblem as problem:
            notice = {"not_your_turn": NOT_YET, "turn_missed": TURN_OVER}.get(problem.problem_code)
            if notice is None and problem.problem_code not in {"not_in_queue", "sale_unknown"}:
                raise
            return await self.show(request, visitor, event_id, notice, problem.status)
        response = self._site.renderer.go_to(f"/events/{event_id}", visitor)
        self._site.cookies.remember_admission(response, event_id, Admission(found.token, found.until))
        return response
