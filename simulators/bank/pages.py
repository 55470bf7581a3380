"""The hosted payment page: plain forms, no JavaScript, one step per page."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context

from chassis.languages import DEFAULT, language_of
from chassis.money import Money
from simulators.bank import cards
from simulators.bank.cards import Behaviour, CardDetails
from simulators.bank.domain import BankError, Status
from simulators.bank.ledger import Ledger, Payment, now
from simulators.bank.settings import BankSettings

HERE = Path(__file__).parent
DECLINES = {Behaviour.DECLINED: "card_declined", Behaviour.INSUFFICIENT_FUNDS: "insufficient_funds"}


def money(amount_minor: int, currency: str, language: str = DEFAULT) -> str:
    """An amount for people: `€12.50`, `¥1,200`, in German `12,50 €`."""
    return Money(amount_minor, currency).written(language)


@pass_context
def _money_for_payer(page: Context, amount_minor: int, currency: str) -> str:
    return money(amount_minor, currency, page["language"])


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Pages:
    """Renders the pages of one payment."""

    def __init__(self) -> None:
        self._templates = Jinja2Templates(directory=HERE / "templates")
        self._templates.env.filters["money"] = _money_for_payer

    def show(self, request: Request, template: str, payment: Payment | None, status: int, **values: Any) -> Response:
        """A page that no other site may frame and that runs no script."""
        # Browsers apply form-action to the redirect after a form as well, so the shop's origin is part of it.
        targets = "'self'" if payment is None else f"'self' {origin_of(payment.return_url)}"
        language = language_of(request.headers.get("accept-language", ""))
        response = self._templates.TemplateResponse(
            request, template, {"payment": payment, "language": language, **values}, status_code=status
        )
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {targets}; frame-ancestors 'none'; "
            "base-uri 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def form(
        self, request: Request, payment: Payment, typed: CardDetails, errors: dict[str, str] | None = None
    ) -> Response:
        """The page that asks for the card; 422 when it comes back with errors."""
        values = {"typed": typed, "errors": errors or {}, "test_cards": cards.TEST_CARDS}
        return self.show(request, "pay.html", payment, 422 if errors else 200, **values)

    def closed(self, request: Request, payment: Payment) -> Response:
        """The page of a payment that cannot be paid any more."""
        return self.show(request, "closed.html", payment, 410)


class Payer:
    """What a payer does with a payment: the routes under /pay/{payment_id}."""

    def __init__(self, settings: BankSettings, ledger: Ledger, wake: Callable[[], None]) -> None:
        self._settings = settings
        self._ledger = ledger
        self._wake = wake
        self._pages = Pages()

    async def show_form(self, request: Request, payment_id: str, card: str = "") -> Response:
        """The form, filled in when a test card was chosen."""
        payment = self._ledger.payment(payment_id)
        chosen = cards.card_for(card)
        typed = CardDetails(chosen.grouped, f"12/{(now().year + 3) % 100:02d}", "123") if chosen else None
        return self._instead(request, payment) or self._pages.form(request, payment, typed or CardDetails("", "", ""))

    async def pay(
        self,
        request: Request,
        payment_id: str,
        number: Annotated[str, Form(max_length=40)] = "",
        expiry: Annotated[str, Form(max_length=20)] = "",
        cvc: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        """Checks the card, then decides or asks to confirm."""
        payment = self._ledger.payment(payment_id)
        instead = self._instead(request, payment)
        if instead is not None:
            return instead
        typed = CardDetails(number, expiry, cvc)
        errors = cards.check(typed, now().date())
        if errors:
            return self._pages.form(request, payment, typed, errors)
        behaviour = cards.behaviour_of(typed)
        if behaviour is Behaviour.CONFIRM:
            self._ledger.await_confirmation(payment.id)
            return RedirectResponse(f"/pay/{payment.id}/confirm", 303)
        return await self._decide(request, payment, behaviour, DECLINES.get(behaviour))

    async def show_confirmation(self, request: Request, payment_id: str) -> Response:
        """The second page of a card that needs confirmation."""
        payment = self._ledger.payment(payment_id)
        instead = self._instead(request, payment)
        if instead is None and not payment.awaiting_confirmation:
            instead = RedirectResponse(f"/pay/{payment.id}", 303)
        return instead or self._pages.show(request, "confirm.html", payment, 200)

    async def confirm(
        self, request: Request, payment_id: str, answer: Annotated[str, Form(max_length=10)] = ""
    ) -> Response:
        """`answer` is `confirm` or `refuse`."""
        payment = self._ledger.payment(payment_id)
        instead = self._instead(request, payment)
        if instead is None and not (payment.awaiting_confirmation and answer in {"confirm", "refuse"}):
            instead = RedirectResponse(f"/pay/{payment.id}", 303)
        if instead is not None:
            return instead
        return await self._decide(request, payment, Behaviour.CONFIRM, None if answer == "confirm" else "not_confirmed")

    def _instead(self, request: Request, payment: Payment) -> Response | None:
        """What to answer if this payment waits for no payer: back to the shop, or the closed page."""
        if payment.status in {Status.AUTHORISED, Status.CAPTURED, Status.DECLINED}:
            return RedirectResponse(payment.return_url, 303)
        if payment.status is not Status.REQUIRES_PAYER or payment.has_expired:
            return self._pages.closed(request, payment)
        return None

    async def _decide(self, request: Request, payment: Payment, behaviour: Behaviour, reason: str | None) -> Response:
        if behaviour is Behaviour.SLOW:
            await asyncio.sleep(self._settings.slow_seconds)
        try:
            self._ledger.decide(payment.id, behaviour, reason)
        except BankError:  # paid in another tab, voided or expired in the meantime
            fresh = self._ledger.payment(payment.id)
            return self._instead(request, fresh) or self._pages.closed(request, fresh)
        self._wake()
        return RedirectResponse(payment.return_url, 303)


def make_router(settings: BankSettings, ledger: Ledger, wake: Callable[[], None]) -> APIRouter:
    """The hosted pages. They need no login: the id of a payment is a secret that only its payer is given."""
    payer = Payer(settings, ledger, wake)
    router = APIRouter(prefix="/pay/{payment_id}", default_response_class=HTMLResponse)
    router.get("")(payer.show_form)
    router.post("")(payer.pay)
    router.get("/confirm")(payer.show_confirmation)
    router.post("/confirm")(payer.confirm)
    return router
