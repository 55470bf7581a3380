"""Templates to answers: what every page has, and the headers that protect it."""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.keeping import NOT_MODIFIED, OK, has_already
from services.web.frame.assets import Assets
from services.web.frame.cookies import Cookies
from services.web.frame.reader import language
from services.web.frame.shared_pages import Own, SharedPages
from services.web.frame.signing import new_secret
from services.web.frame.visitors import Visitor
from services.web.settings import WebSettings
from tracing.spans import current_trace_id

# By the cookie, so that a browser asks again when it has got one since, also when it goes back.
KEPT_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language"}
_COME_BACK = re.compile(r"/(?:orders|events)/[0-9a-f-]{36}(?=/|$)")
_LOCAL_ORIGINS = "http://127.0.0.1:* http://localhost:*"


@dataclass(frozen=True)
class Page:
    """What base.html needs of every page."""

    trace_id: str
    trace_link: str | None
    form_token: str
    signed_in: bool
    person_name: str
    path: str
    here: str
    sign_in: str
    shop_url: str


@cache
def make_templates(assets: Assets) -> Environment:
    """The templates, with everything escaped and nothing undefined. Compiled once for all applications of a process."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["asset"] = assets.address
    return templates


class Renderer:
    """Writes pages for visitors."""

    def __init__(self, settings: WebSettings, templates: Environment, cookies: Cookies) -> None:
        self._templates = templates
        self._cookies = cookies
        self._shop_url = settings.public_url.rstrip("/")
        self._trace_url = settings.trace_url.rstrip("/") if settings.trace_url else None
        self._policy = content_policy(settings)
        self._shared = SharedPages()

    @property
    def trace_url(self) -> str | None:
        return self._trace_url

    def page(
        self, request: Request, visitor: Visitor, template: str, *, status: int = 200, here: str = "", **context: Any
    ) -> Response:
        """A page. It holds a visitor's own tokens, so that nobody may keep it."""
        token = self._cookies.form_token(visitor)
        name = visitor.session.name if visitor.session and visitor.is_signed_in else None
        about = self._about(
            request, current_trace_id() or "", token, here, is_signed_in=visitor.is_signed_in, name=name
        )
        content = self._templates.get_template(template).render(page=about, **context)
        return self._answer(content, visitor, status)

    def shared_page(
        self,
        request: Request,
        visitor: Visitor,
        template: str,
        *,
        key: Hashable,
        sources: tuple[object, ...],
        context: Callable[[str], Mapping[str, Any]],
    ) -> Response:
        """A page that is made of `sources` alone (and the clock): for all who are not signed in it is drawn once a second.

        `context` is given the attempt that the page's form makes, and asked only when the page is drawn. Pages of one template with
        the same `key` and language are the same page.

        The browser of who has no session may keep it, and asks each time whether it is still so. With a session it may not: an attempt
        that has become an order must not come back, or the same wish again would be that order.
        """
        trace_id = current_trace_id()
        if visitor.is_signed_in or not trace_id:
            return self.page(request, visitor, template, **context(new_secret()))
        marks = self._shared.marks

        def own() -> Own:
            return Own(trace_id, self._cookies.form_token(visitor), new_secret())

        def draw() -> str:
            about = self._about(request, marks.trace_id, marks.form_token, "", is_signed_in=False, name=None)
            return self._templates.get_template(template).render(page=about, **context(marks.attempt))

        drawn = self._shared.drawn((template, request.url.path, key, language()), sources, draw)
        headers = self._headers()
        if not visitor.session_cookie and not visitor.has_changed:
            tag = self._cookies.page_tag(visitor, drawn.digest)
            headers = {**headers, **KEPT_HEADERS, "ETag": tag}
            if has_already(request.headers.raw, tag):
                return Response(status_code=NOT_MODIFIED, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return self._answer(drawn.filled(own()), visitor, OK, headers)
        return self._answer(drawn.compressed(own()), visitor, OK, {**headers, "Content-Encoding": "gzip"})

    def _about(
        self, request: Request, trace_id: str, form_token: str, here: str, *, is_signed_in: bool, name: str | None
    ) -> Page:
        path = request.url.path
        return Page(
            trace_id=trace_id,
            trace_link=f"{self._trace_url}/trace/{trace_id}" if self._trace_url and trace_id else None,
            form_token=form_token,
            signed_in=is_signed_in,
            person_name=name or "you",
            path=path,
            here=here,
            sign_in=sign_in_address(path),
            shop_url=self._shop_url,
        )

    def _answer(
        self, content: str | bytes, visitor: Visitor, status: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        response = HTMLResponse(content, status, headers or self._headers())
        self._cookies.write_cookies(response, visitor)
        return response

    def go_to(self, address: str, visitor: Visitor) -> Response:
        """Sends the browser on, with GET."""
        response = RedirectResponse(address, 303, self._headers())
        self._cookies.write_cookies(response, visitor)
        return response

    def _headers(self) -> Mapping[str, str]:
        return {"Cache-Control": "no-store", "Content-Security-Policy": self._policy}


def sign_in_address(path: str) -> str:
    """Where to sign in from a page: from an order or an event one comes back to it."""
    found = _COME_BACK.match(path)
    return f"/sign-in?next={found[0]}" if found else "/sign-in"


def content_policy(settings: WebSettings) -> str:
    """What pages may load and where their forms may end: ourselves, and the banks' payment pages."""
    local = _LOCAL_ORIGINS if settings.environment != "production" else ""
    form_targets = " ".join(part for part in ("'self'", settings.payment_origins, local) if part)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action {form_targets}; base-uri 'none'; frame-ancestors 'none'"
    )


class SecurityHeaders:
    """Headers that every answer has, whatever it is."""

    def __init__(self, app: Any, *, is_secure: bool) -> None:
        self._app = app
        headers = {
            "X-Content-Type-Options": "nosniff",
            # Addresses of orders stay with us.
            "Referrer-Policy": "same-origin",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        }
        if is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)
