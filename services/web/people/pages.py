"""Signing in, up and out."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from chassis.http import ProviderBusyForYou, ProviderProblem, ProviderUnavailable
from chassis.identity import open_to_all
from services.web.clients.accounts import LONGEST_SECRET, LONGEST_TEXT, SignedIn
from services.web.frame import formats
from services.web.frame.domain import FormTooOld, SessionEnded
from services.web.frame.notices import Notice, page_too_old
from services.web.frame.sessions import Session
from services.web.frame.site import Site
from services.web.frame.visitors import Visitor

OLD_PAGE = page_too_old("Nothing was done. Write it once more.")
NO_ACCOUNTS = Notice(
    "error",
    "We cannot sign anybody in at the moment.",
    "Try again in a minute. You can buy without an account.",
    focus=True,
)
NOT_ALONG = Notice(
    "error",
    "We could not take your order along just now.",
    "Your places are held as before, and you are not signed in yet. Sign in again in a few seconds.",
    focus=True,
)
SIGN_IN_FAILED = Notice(
    "error",
    "That did not fit.",
    "The e-mail address or the password is wrong. Look at both, then try again.",
    focus=True,
)
LOOK_AGAIN = Notice("error", "That did not work.", "Look at what you wrote, then try again.", focus=True)


def make_signing_in_router(site: Site) -> APIRouter:
    """How a visitor becomes somebody, and nobody again."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in", dependencies=[open_to_all])
    async def sign_in_page(request: Request, next: str = "") -> Response:  # noqa: A002  # the address says so
        visitor = await site.recognise(request)
        return _sign_in_page(site, request, visitor, local_path(next))

    @router.post("/sign-in", dependencies=[open_to_all])
    async def sign_in(request: Request) -> Response:
        return await _sign_in(site, request)

    @router.get("/sign-up", dependencies=[open_to_all])
    async def sign_up_page(request: Request, next: str = "") -> Response:  # noqa: A002  # the address says so
        visitor = await site.recognise(request)
        return _sign_up_page(site, request, visitor, {"next": local_path(next)})

    @router.post("/sign-up", dependencies=[open_to_all])
    async def sign_up(request: Request) -> Response:
        return await _sign_up(site, request)

    @router.post("/sign-out", dependencies=[open_to_all])
    async def sign_out(request: Request) -> Response:
        visitor = await site.recognise(request)
        await site.cookies.own_form(request, visitor)
        if visitor.session is not None:
            await site.sessions.end(visitor.session)
        visitor.has_ended()
        return site.renderer.go_to("/", visitor)

    return router


def local_path(wanted: str | None, otherwise: str = "/my/tickets") -> str:
    """A path of ours to go on to after signing in; anything that could lead elsewhere is replaced."""
    path = wanted or otherwise
    try:
        parts = urlsplit(path)
    except ValueError:
        return otherwise
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if is_local and path.isprintable() and "\\" not in path else otherwise


async def _sign_in(site: Site, request: Request) -> Response:
    visitor = await site.recognise(request)
    form, next_path, email = await _form(site, request, visitor)
    if form is None:
        return _sign_in_page(site, request, visitor, next_path, email, OLD_PAGE, 403)
    password = str(form.get("password") or "")
    if _is_too_long(password, email):
        return _sign_in_page(site, request, visitor, next_path, email, SIGN_IN_FAILED, 401)
    try:
        signed_in = await site.accounts.sign_in(email, password)
    except ProviderBusyForYou as busy:
        return _too_often(_sign_in_page(site, request, visitor, next_path, email, _wait(busy), 429), busy)
    except ProviderUnavailable:
        return _sign_in_page(site, request, visitor, next_path, email, NO_ACCOUNTS, 503)
    except ProviderProblem:
        return _sign_in_page(site, request, visitor, next_path, email, SIGN_IN_FAILED, 401)
    return await _begin(site, request, visitor, signed_in, next_path, email)


async def _sign_up(site: Site, request: Request) -> Response:
    visitor = await site.recognise(request)
    form, next_path, email = await _form(site, request, visitor)
    if form is None:
        written: dict[str, Any] = {"next": next_path, "email": email, "notices": [OLD_PAGE], "status": 403}
        return _sign_up_page(site, request, visitor, written)
    name, password = str(form.get("name") or "").strip(), str(form.get("password") or "")
    written = {"next": next_path, "email": email, "name": name}
    if _is_too_long(password, email, name):
        return _sign_up_page(site, request, visitor, written | {"notices": [LOOK_AGAIN], "status": 422})
    try:
        signed_in = await site.accounts.sign_up(email, password, name)
    except ProviderBusyForYou as busy:
        return _too_often(
            _sign_up_page(site, request, visitor, written | {"notices": [_wait(busy)], "status": 429}), busy
        )
    except ProviderUnavailable:
        return _sign_up_page(site, request, visitor, written | {"notices": [NO_ACCOUNTS], "status": 503})
    except ProviderProblem as problem:
        return _sign_up_page(site, request, visitor, written | _not_liked(problem))
    return await _begin(site, request, visitor, signed_in, next_path, email)


def _is_too_long(password: str, *texts: str) -> bool:
    """Whether accounts would not even look at it: nobody has such a password, address or name."""
    return len(password) > LONGEST_SECRET or any(len(text) > LONGEST_TEXT for text in texts)


def _wait(busy: ProviderBusyForYou) -> Notice:
    """How long, in words that people use."""
    minutes = -(-busy.retry_after_seconds // 60)
    again = formats.count(minutes, "minute", "minutes") if busy.retry_after_seconds > 60 else "a minute"
    text = (
        f"Wait {again}, then try again. Nobody can guess a password that way. You can buy without an account meanwhile."
    )
    return Notice("error", "That was tried too often.", text, focus=True)


def _too_often(response: Response, busy: ProviderBusyForYou) -> Response:
    response.headers["Retry-After"] = str(busy.retry_after_seconds)
    return response


async def _form(site: Site, request: Request, visitor: Visitor) -> tuple[FormData | None, str, str]:
    """The form (None if it is not ours), where to go afterwards, and the e-mail address that was written."""
    written = await request.form(max_files=0, max_fields=20)
    next_path, email = local_path(str(written.get("next") or "")), str(written.get("email") or "").strip()
    try:
        return await site.cookies.own_form(request, visitor), next_path, email
    except FormTooOld:
        return None, next_path, email


async def _begin(
    site: Site, request: Request, visitor: Visitor, signed_in: SignedIn, next_path: str, email: str
) -> Response:
    """A new session with a new id. The one before ends; if it was a guest's, their open orders and places go along."""
    before = visitor.session
    if before is not None and before.guest and not await _takes_orders_along(site, before, signed_in):
        return _sign_in_page(site, request, visitor, next_path, email, NOT_ALONG, 503)
    visitor.has_begun(await site.sessions.begin(signed_in, guest=False))
    if before is not None:
        await site.sessions.end(before)
    return site.renderer.go_to(next_path, visitor)


async def _takes_orders_along(site: Site, guest: Session, signed_in: SignedIn) -> bool:
    try:
        await site.orders.take_along(signed_in.token, await site.sessions.token_of(guest))
    except SessionEnded:
        return True  # a guest whose session is over has no order that could still be paid
    except (ProviderUnavailable, ProviderProblem):
        # Orders does not answer, or is of a version that cannot do this yet.
        return False
    return True


def _sign_in_page(
    site: Site,
    request: Request,
    visitor: Visitor,
    next_path: str,
    email: str = "",
    notice: Notice | None = None,
    status: int = 200,
) -> Response:
    notices = [notice] if notice else []
    return site.renderer.page(
        request,
        visitor,
        "people/sign_in.html",
        status=status,
        here="sign-in",
        next=next_path,
        email=email,
        notices=notices,
    )


def _sign_up_page(site: Site, request: Request, visitor: Visitor, written: dict[str, Any]) -> Response:
    empty: dict[str, Any] = {"email": "", "name": "", "errors": {}, "notices": [], "status": 200}
    return site.renderer.page(request, visitor, "people/sign_up.html", here="sign-in", **(empty | written))


def _not_liked(problem: ProviderProblem) -> dict[str, Any]:
    """What accounts did not like about a new account, by field."""
    if problem.problem_code == "email_taken":
        return {"errors": {"email": "There is an account with this address. Sign in instead."}, "status": 409}
    if problem.problem_code == "password_too_weak":
        return {"errors": {"password": problem.detail or "Choose a longer password."}, "status": 422}
    if problem.problem_code == "email_invalid":
        return {"errors": {"email": "This e-mail address does not look right. Look at it again."}, "status": 422}
    return {"notices": [replace(LOOK_AGAIN, text=problem.detail or LOOK_AGAIN.text)], "status": 422}
