"""What every page is made with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request

from chassis.errors import StoreUnavailable
from chassis.http import ProviderProblem
from services.web.clients.accounts import AccountsClient
from services.web.clients.orders import OrdersClient
from services.web.clients.tickets import TicketsClient
from services.web.frame.cookies import Cookies
from services.web.frame.domain import OrderNotHere, SessionEnded
from services.web.frame.rendering import Renderer
from services.web.frame.sessions import Sessions
from services.web.frame.visitors import Visitor
from services.web.settings import WebSettings


@dataclass(frozen=True)
class Site:
    """What pages of every subject need; built once, in app.py. What one subject needs besides, its router is given."""

    settings: WebSettings
    accounts: AccountsClient
    orders: OrdersClient
    tickets: TicketsClient
    sessions: Sessions
    cookies: Cookies
    renderer: Renderer

    async def recognise(self, request: Request) -> Visitor:
        """The visitor of a request. Never fails: while web's database is away, everybody is a stranger."""
        visitor = self.cookies.stranger(request)
        # The error page, should there be one, is written for this visitor.
        request.state.visitor = visitor
        if visitor.session_cookie:
            try:
                visitor.session = await self.sessions.find(visitor.session_cookie)
            except StoreUnavailable:
                visitor.is_unknown = True
            except SessionEnded:
                visitor.session = None
        return visitor

    @asynccontextmanager
    async def person(self, request: Request) -> AsyncIterator[tuple[Visitor, str]]:
        """The visitor and a token of theirs, for a page that belongs to a person. Raises OrderNotHere to strangers."""
        visitor = await self.recognise(request)
        async with self.token_of(visitor) as token:
            yield visitor, token

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
            if problem.status == HTTPStatus.UNAUTHORIZED:
                raise SessionEnded from problem
            if problem.problem_code == "order_unknown":
                raise OrderNotHere from problem
            raise
