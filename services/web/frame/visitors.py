"""Who is at the other end, as far as it is known."""

from dataclasses import dataclass

from services.web.frame.sessions import Session
from services.web.frame.signing import new_secret


@dataclass
class Visitor:
    """Who asks for this page. `visitor_id` is the cookie of somebody without a session."""

    session: Session | None
    session_cookie: str | None
    visitor_id: str
    is_new: bool
    # Our own database does not answer: perhaps there is a session, nobody knows.
    is_unknown: bool = False
    has_changed: bool = False

    @property
    def binding(self) -> str:
        """The cookie that this visitor's form tokens are bound to."""
        return self.session_cookie or self.visitor_id

    @property
    def is_signed_in(self) -> bool:
        return self.session is not None and not self.session.guest

    def has_begun(self, session: Session) -> None:
        """From this answer on it is this session."""
        self.session, self.session_cookie, self.has_changed = session, session.session_id, True

    def has_begun_anew(self, session: Session) -> None:
        """From this answer on it is this session, and another visitor: who planted the old cookie shares nothing."""
        self.has_begun(session)
        self.visitor_id, self.is_new = new_secret(), True

    def has_ended(self) -> None:
        """From this answer on it is nobody; also the visitor's cookie is a new one."""
        self.session, self.session_cookie, self.has_changed = None, None, True
        self.visitor_id, self.is_new = new_secret(), True
