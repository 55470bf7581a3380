"""The cookies of a browser: its session, its visitor id, its purchases; and whether a form is really its own."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request, cookie_parser
from starlette.responses import Response

from services.web.frame.domain import FormTooOld
from services.web.frame.limits import Caller, address_of
from services.web.frame.sessions import LIFETIME
from services.web.frame.signing import Signer, new_secret
from services.web.frame.visitors import Visitor
from services.web.settings import WebSettings

_ORDER_PATH = re.compile(r"/orders/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:/|$)")
_PASS = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")
# Browsers keep no cookie for longer; the pass says itself when it is over.
_PASS_SECONDS = 400 * 24 * 3600
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
# The purchase cookie lives longer than any hold and its payment.
_PURCHASE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Admission:
    """A pass of a waiting room, and until when it is good."""

    token: str
    until: datetime


class Cookies:
    """Reads and writes the cookies, and signs what is in them."""

    def __init__(self, settings: WebSettings) -> None:
        self._signer = Signer(settings.cookie_secret.get_secret_value())
        self._secure = settings.is_secure
        # A __Host- cookie can be planted by nobody, but needs https.
        prefix = "__Host-" if self._secure else ""
        self._session_name, self._visitor_name = f"{prefix}session", f"{prefix}visitor"
        self._pass_name = "__Secure-pass" if self._secure else "pass"
        self._purchase_name = "__Secure-purchase" if self._secure else "purchase"
        self._contact_name = f"{prefix}contact"
        self._admission_name = "__Secure-admission" if self._secure else "admission"

    def caller(self, request: HTTPConnection) -> Caller:
        """Which browser asks, by address and cookie; known without a look at sessions."""
        cookies = (request.cookies.get(name, "") for name in (self._session_name, self._visitor_name))
        cookie = next((one for one in cookies if _SECRET.fullmatch(one)), None)
        return Caller(address_of(request), cookie)

    def stranger(self, request: Request) -> Visitor:
        """The visitor as far as the cookies show."""
        session_cookie = request.cookies.get(self._session_name, "")
        visitor_id = request.cookies.get(self._visitor_name, "")
        is_new = not _SECRET.fullmatch(visitor_id)
        return Visitor(
            session=None,
            session_cookie=session_cookie if _SECRET.fullmatch(session_cookie) else None,
            visitor_id=new_secret() if is_new else visitor_id,
            is_new=is_new,
        )

    def form_token(self, visitor: Visitor) -> str:
        """A token for the forms of one page."""
        return self._signer.form_token(visitor.binding)

    def page_tag(self, visitor: Visitor, digest: str) -> str:
        """The mark (ETag) of a page with these contents whose forms are this visitor's: who has it need not be sent it again.

        It is a weak one: the page is another each time in its trace and in its attempt.
        """
        return f'W/"{self._signer.page(digest, visitor.binding)}"'

    async def own_form(self, request: Request, visitor: Visitor) -> FormData:
        """The form that was sent, if this visitor got it from us. Raises FormTooOld.

        Two tabs that a new visitor opens at once get a cookie each, and the browser keeps one of them. The form of the
        other tab is taken if we made it and the browser itself says that it comes from a page of ours, which no page
        elsewhere can make it say. Who is signed in has one session in all tabs, so that this is not done for them.
        """
        form = await request.form(max_files=0, max_fields=300)
        site = request.headers.get("sec-fetch-site", "none")
        token = str(form.get("form_token") or "")
        is_own = self._signer.form_token_is_good(token, visitor.binding) and site in ("same-origin", "none")
        is_of_another_tab = (
            site == "same-origin" and not visitor.is_signed_in and self._signer.form_token_is_ours(token)
        )
        if not is_own and not is_of_another_tab:
            raise FormTooOld
        return form

    def write_cookies(self, response: Response, visitor: Visitor) -> None:
        """Tells the browser who it is from now on, if that is new."""
        if visitor.has_changed and visitor.session_cookie:
            self._set(response, self._session_name, visitor.session_cookie, int(LIFETIME.total_seconds()))
        elif visitor.has_changed:
            self._set(response, self._session_name, "", 0)
        if visitor.is_new:
            self._set(response, self._visitor_name, visitor.visitor_id, None)

    def remember_purchase(self, response: Response, order_id: UUID, traceparent: str | None) -> None:
        """Lets later requests of this order continue the trace in which it was made."""
        if traceparent is None:
            return
        value = self._signer.purchase(str(order_id), traceparent)
        self._set(response, self._purchase_name, value, _PURCHASE_SECONDS, path=f"/orders/{order_id}")

    def remember_contact(self, response: Response) -> None:
        """This guest has told where their tickets go; what it is, accounts knows. It lives as long as their session."""
        self._set(response, self._contact_name, "told", int(LIFETIME.total_seconds()))

    def has_told_contact(self, request: Request) -> bool:
        """Whether this browser's guest has told a contact. It is no secret, and worth nothing without their session."""
        return self._contact_name in request.cookies

    def remember_pass(self, response: Response, order_id: UUID, order_pass: str) -> None:
        """From a link in a mail: this browser may see this order, until the pass ends by itself."""
        self._set(response, self._pass_name, order_pass, _PASS_SECONDS, path=f"/orders/{order_id}")

    def is_pass(self, key: str) -> bool:
        """Whether this could be a pass at all."""
        return _PASS.fullmatch(key) is not None

    def order_pass(self, request: Request) -> str | None:
        """What a link in a mail has left for the order of this address."""
        found = request.cookies.get(self._pass_name, "")
        return found if self.is_pass(found) else None

    def remember_admission(self, response: Response, event_id: UUID, admission: Admission) -> None:
        """This browser may order places of this event, until the pass is over or used."""
        until = int(admission.until.timestamp())
        value = self._signer.admission(str(event_id), until, admission.token)
        seconds = max(1, until - int(time.time()))
        self._set(response, self._admission_name, value, seconds, path=f"/events/{event_id}")

    def forget_admission(self, response: Response, event_id: UUID) -> None:
        """The pass is used, or worth nothing."""
        self._set(response, self._admission_name, "", 0, path=f"/events/{event_id}")

    def admission(self, request: Request, event_id: UUID) -> Admission | None:
        """The browser's pass for this event, while it is good."""
        found = self._signer.admission_of(str(event_id), request.cookies.get(self._admission_name, ""))
        if found is None or found[0] <= time.time():
            return None
        return Admission(found[1], datetime.fromtimestamp(found[0], UTC))

    def hidden_address(self, request: Request, event_id: UUID) -> str:
        """What a queue is told of where a browser is: enough to count, and nothing to find it."""
        return self._signer.hidden_address(str(event_id), address_of(request))

    def trace_parent(self, scope: dict[str, object]) -> str | None:
        """The trace that a request for an order continues: from its cookie, never from a header of the browser."""
        found = _ORDER_PATH.match(str(scope["path"]))
        if found is None:
            return None
        headers = scope["headers"]
        if not isinstance(headers, list):
            return None
        cookies = cookie_parser("; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie"))
        cookie = cookies.get(self._purchase_name)
        return self._signer.traceparent_of(found[1], cookie) if cookie else None

    def _set(self, response: Response, name: str, value: str, max_age: int | None, path: str = "/") -> None:
        response.set_cookie(name, value, max_age=max_age, path=path, secure=self._secure, httponly=True, samesite="lax")
