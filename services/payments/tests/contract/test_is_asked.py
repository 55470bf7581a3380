"""Payments answers what its consumers ask, as their pacts say. The bank is a real one; a line to it can be cut."""

from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from sqlalchemy import text

from chassis.db import Database
from chassis.testing import Harness
from contracts.provider import Provided, provided, verify_answers
from services.payments.app import create_app
from services.payments.settings import PaymentsSettings
from simulators.bank.testing import API_KEY, WEBHOOK_SECRET, RunningBank, running_bank


class Line:
    """The line to the bank."""

    def __init__(self, bank: RunningBank) -> None:
        self._bank = bank
        # Orders and payments for which the bank is away: their ids are in what it is asked.
        self.cut_for: set[str] = set()

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT"])
        async def forward(path: str, request: Request) -> Response:
            if any(cut in path for cut in self.cut_for):
                return Response(status_code=503)
            passed = ("authorization", "content-type", "idempotency-key")
            headers = {name: request.headers[name] for name in passed if name in request.headers}
            answer = await self._bank.http.request(
                request.method, f"/{path}", params=request.query_params, content=await request.body(), headers=headers
            )
            return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

        return app


class States:
    """Makes true what the consumers' interactions take for granted, with the payer's own doing at the bank."""

    def __init__(self, payments: Provided, bank: RunningBank, line: Line, database: Database | None = None) -> None:
        self._database = database
        self._payments = payments
        self._bank = bank
        self._line = line

    async def a_payment_that_waits_for_its_payer(self, given: dict[str, Any]) -> None:
        """At this `redirect_url`, if one is given: whatever the bank would say of a second session."""
        await self._open(given)
        if "redirect_url" in given:
            assert self._database is not None
            at = {"payment_id": UUID(given["payment_id"]), "redirect_url": given["redirect_url"]}
            async with self._database.writer() as tx:
                await tx.execute(_AT, at, name="tests.at")

    async def a_payment_opened_outside_of_any_trace(self, given: dict[str, Any]) -> None:
        """And the bank has sent word of it."""
        await self._open(given)
        assert self._database is not None
        async with self._database.writer() as tx:
            for query in _UNTRACED_WITH_A_HINT:
                await tx.execute(query, {"payment_id": UUID(given["payment_id"])}, name="tests.untrace")

    async def a_payment_that_its_payer_authorised(self, given: dict[str, Any]) -> None:
        await self._pay(given, "approved")

    async def an_authorised_payment_while_the_bank_does_not_answer(self, given: dict[str, Any]) -> None:
        address = await self._pay(given, "approved")
        self._line.cut_for.add(address.rsplit("/", 1)[1])

    async def an_open_payment_while_the_bank_does_not_answer(self, given: dict[str, Any]) -> None:
        address = await self._open(given)
        self._line.cut_for.add(address.rsplit("/", 1)[1])

    async def a_payment_that_the_bank_declined(self, given: dict[str, Any]) -> None:
        await self._pay(given, "declined")

    async def a_payment_that_was_captured(self, given: dict[str, Any]) -> None:
        await self._pay(given, "approved")
        await self._payments.do("POST", f"{_path(given)}/capture", caller="orders")

    async def a_payment_that_was_voided(self, given: dict[str, Any]) -> None:
        await self._pay(given, "approved")
        await self.a_payment_that_was_called_off(given)

    async def a_payment_that_was_refunded(self, given: dict[str, Any]) -> None:
        await self.a_payment_that_was_captured(given)
        await self.a_payment_that_was_called_off(given)

    async def a_payment_that_was_called_off(self, given: dict[str, Any]) -> None:
        await self._payments.do("POST", f"{_path(given)}/void", caller="orders")

    async def the_bank_does_not_answer(self, given: dict[str, Any]) -> None:
        self._line.cut_for.add(given["order_id"])

    async def _open(self, given: dict[str, Any]) -> str:
        """The address where the payment is paid."""
        terms = {
            "order_id": given["order_id"],
            "amount_minor": 5000,
            "currency": "EUR",
            "description": "Hamlet (K7Q2-9MXA)",
            "return_url": "http://shop.test/orders/1/return",
            "pay_by": "2031-06-21T17:50:00Z",
        }
        made = await self._payments.do("PUT", _path(given), caller="orders", body=terms)
        return str(made.json()["redirect_url"])

    async def _pay(self, given: dict[str, Any], card: str) -> str:
        address = await self._open(given)
        await self._bank.pay(address, card)
        await self._payments.do("GET", f"{_path(given)}?refresh=true", caller="orders")
        return address


_AT = text("UPDATE payment SET redirect_url = :redirect_url WHERE payment_id = :payment_id")
_UNTRACED_WITH_A_HINT = (
    text("UPDATE payment SET traceparent = NULL WHERE payment_id = :payment_id"),
    text("""
        INSERT INTO webhook (webhook_id, type, gateway_payment_id, attempts, ask_at, handled_at)
        SELECT 'a hint', 'payment.authorised', gateway_payment_id, 1, now(), clock_timestamp() FROM payment
        WHERE payment_id = :payment_id
    """),
)


def _path(given: dict[str, Any]) -> str:
    return f"/payments/{given['payment_id']}"


async def test_payments_answers_what_its_consumers_ask(harness: Harness, tmp_path: Path) -> None:
    async with running_bank(tmp_path / "bank.sqlite", webhook_url="http://127.0.0.1:9/") as bank:
        line = Line(bank)
        async with harness.serving(line.app()) as bank_url:
            settings = harness.settings(
                PaymentsSettings, bank_url=bank_url, bank_api_key=API_KEY, bank_webhook_secret=WEBHOOK_SECRET
            )
            async with provided(create_app, settings, harness) as payments:
                database = Database(settings)
                states = States(payments, bank, line, database)
                await verify_answers(
                    "payments",
                    payments.url,
                    callers=["orders", "web"],
                    states={
                        "a payment that waits for its payer, opened outside of any trace": (
                            states.a_payment_opened_outside_of_any_trace
                        ),
                        "a payment that waits for its payer": states.a_payment_that_waits_for_its_payer,
                        "a payment that its payer authorised": states.a_payment_that_its_payer_authorised,
                        "a payment that the bank declined": states.a_payment_that_the_bank_declined,
                        "a payment that was captured": states.a_payment_that_was_captured,
                        "a payment that was voided": states.a_payment_that_was_voided,
                        "a payment that was refunded": states.a_payment_that_was_refunded,
                        "a payment that was called off before it was made": states.a_payment_that_was_called_off,
                        "the bank does not answer": states.the_bank_does_not_answer,
                        "an open payment while the bank does not answer": (
                            states.an_open_payment_while_the_bank_does_not_answer
                        ),
                        "an authorised payment while the bank does not answer": (
                            states.an_authorised_payment_while_the_bank_does_not_answer
                        ),
                    },
                )
                await database.close()
