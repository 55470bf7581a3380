"""How a visitor becomes a guest: a buyer without an account, with a session of their own."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from starlette.requests import Request

from services.web.frame.cache import Cache
from services.web.frame.domain import SessionEnded
from services.web.frame.limits import Allowance, Caller
from services.web.frame.sessions import Session, Sessions
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor
from services.web.people.domain import TooManyGuests
from services.web.settings import WebSettings

# A visitor who presses twice before the first answer is one guest.
GUEST_MEMORY_SECONDS = 30.0

Done = TypeVar("Done")


class Guests:
    """Makes guests, and bounds how many one browser and one address become: each may hold places without paying.

    The numbers are explained in README.md; they are far above what a crowd behind one address needs.
    """

    def __init__(self, sessions: Sessions, settings: WebSettings) -> None:
        self._sessions = sessions
        self._made: Cache[tuple[str, str], Session] = Cache(
            name="guests", size=10_000, ttl_seconds=GUEST_MEMORY_SECONDS
        )
        seconds = settings.guests_again_after_seconds
        self._of_browser = Allowance(settings.max_guests_per_visitor, seconds)
        self._of_address = Allowance(settings.max_guests_per_address, seconds)
        self._of_address_and_event = Allowance(settings.max_guests_per_address_and_event, seconds)

    async def become(self, visitor: Visitor, caller: Caller, event_id: UUID, attempt: str) -> None:
        """From now on the visitor is a guest with a new session, and a new visitor: a planted cookie shares nothing.

        Who presses twice on one page, which `attempt` names, becomes one guest. Raises TooManyGuests.
        """

        async def make() -> Session:
            return await self._bounded(caller, event_id)

        # The attempt is a secret of the page that was sent to this visitor: the cookie alone is not enough to share it.
        session = (await self._made.get((visitor.visitor_id, attempt), make)).value
        visitor.has_begun_anew(session)

    async def act(
        self,
        site: Site,
        request: Request,
        visitor: Visitor,
        event_id: UUID,
        attempt: str,
        do: Callable[[str], Awaitable[Done]],
    ) -> Done:
        """Does something with a token of the visitor, who becomes a guest first if they have no session, or a guest's that is over."""
        caller = site.cookies.caller(request)
        if visitor.session is None:
            await self.become(visitor, caller, event_id, attempt)
        try:
            async with site.token_of(visitor) as token:
                return await do(token)
        except SessionEnded:
            # A person who was signed in has to sign in again; a guest has nothing to lose and becomes a new guest.
            if visitor.is_signed_in:
                raise
            visitor.has_ended()
            await self.become(visitor, caller, event_id, attempt)
            async with site.token_of(visitor) as token:
                return await do(token)

    async def _bounded(self, caller: Caller, event_id: UUID) -> Session:
        bounds = (
            (self._of_browser, caller.browser),
            (self._of_address, caller.address),
            (self._of_address_and_event, f"{caller.address} {event_id}"),
        )
        if wait := max(allowance.seconds_until(key) for allowance, key in bounds):
            raise TooManyGuests(wait)
        for allowance, key in bounds:
            allowance.use(key)
        try:
            return await self._sessions.begin_as_guest()
        except BaseException:
            for allowance, key in bounds:
                allowance.give_back(key)
            raise
