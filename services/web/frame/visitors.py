"""Recognises who is at the other end."""

from urllib.parse import urlsplit

from starlette.requests import Request

from chassis.errors import StoreUnavailable
from services.web.frame.cookies import Cookies, Visitor
from services.web.frame.domain import SessionEnded
from services.web.frame.sessions import Sessions


class Visitors:
    """Cookies to visitors."""

    def __init__(self, cookies: Cookies, sessions: Sessions) -> None:
        self._cookies = cookies
        self._sessions = sessions

    async def recognise(self, request: Request) -> Visitor:
        """The visitor of a request. Never fails: without our database everybody is a stranger for a while."""
        visitor = self._cookies.stranger(request)
        # For the error page, should there be one.
        request.state.visitor = visitor
        if visitor.session_cookie:
            try:
                visitor.session = await self._sessions.find(visitor.session_cookie)
            except StoreUnavailable:
                visitor.is_unknown = True
            except SessionEnded:
                visitor.session = None
        return visitor


def local_path(wanted: str | None, otherwise: str = "/my/tickets") -> str:
    """A path of ours to go on to after signing in; anything that could lead elsewhere is replaced."""
    path = wanted or otherwise
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if is_local and path.isprintable() and "\\" not in path else otherwise
