"""What the pages are made with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from chassis.errors import StoreUnavailable
from chassis.http import ProviderProblem
from services.web.browsing.event_rooms import Rooms
from services.web.browsing.shop import Shop
from services.web.buying.order_watchers import Watchers
from services.web.clients.accounts import AccountsClient
from services.web.clients.orders import OrdersClient
from services.web.clients.tickets import TicketsClient
from services.web.frame.cookies import Cookies, Visitor
from services.web.frame.domain import OrderNotHere, SessionEnded
from services.web.frame.rendering import Renderer
from services.web.frame.sessions import Sessions
from services.web.frame.visitors import Visitors
from services.web.people.guests import Guests
from services.web.settings import WebSettings
from services.web.support.access import Support
from services.web.support.story import Storyteller

_UNAUTHENTICATED = 401


@dataclass(frozen=True)
class Site:
    """Everything that a page may need; built once, in app.py."""

    settings: WebSettings
    shop: Shop
    accounts: AccountsClient
    orders: OrdersClient
    tickets: TicketsClient
    sessions: Sessions
    guests: Guests
    cookies: Cookies
    visitors: Visitors
    renderer: Renderer
    rooms: Rooms
    watchers: Watchers
    support: Support
    storyteller: Storyteller

    @asynccontextmanager
    async def person(self, request: Request) -> AsyncIterator[tuple[Visitor, str]]:
        """The visitor and a token of theirs, for a page that belongs to a person. Raises OrderNotHere to strangers."""
        visitor = await self.visitors.recognise(request)
        async with self.token_of(visitor) as token:
            yield visitor, token

    @asynccontextmanager
    async def viewer(self, request: Request, order_id: UUID) -> AsyncIterator[tuple[Visitor, str]]:
        """Who may see an order: its buyer, or who came by the link in the buyer's mail. Raises OrderNotHere to strangers."""
        visitor = await self.visitors.recognise(request)
        order_pass = self.cookies.order_pass(request)
        if order_pass is None or await self._is_buyer(visitor, order_id):
            async with self.token_of(visitor) as token:
                yield visitor, token
            return
        try:
            yield visitor, order_pass
        except ProviderProblem as problem:
            if problem.status == _UNAUTHENTICATED or problem.problem_code == "order_unknown":
                raise OrderNotHere from problem
            raise

    async def _is_buyer(self, visitor: Visitor, order_id: UUID) -> bool:
        """Whether the order is the visitor's own, who may do more with it than look."""
        try:
            async with self.token_of(visitor) as token:
                await self.orders.order(token, order_id)
        except (OrderNotHere, SessionEnded):
            return False
        return True

    @asynccontextmanager
    async def token_of(self, visitor: Visitor) -> AsyncIterator[str]:
        """A token of the visitor. What is refused because of the token, or is not theirs, is said as it is."""
        if visitor.is_unknown:
            raise StoreUnavailable
        if visitor.session is None:
            raise OrderNotHere
        try:
            yield await self.sessions.token_of(visitor.session)
        except ProviderProblem as problem:
            if problem.status == _UNAUTHENTICATED:
                raise SessionEnded from problem
            if problem.problem_code == "order_unknown":
                raise OrderNotHere from problem
            raise
