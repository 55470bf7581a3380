"""Who cancels in the moment in which the bank authorises: the money goes back, with a mail exactly where there was any."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local.provision import make_secrets
from local.system import System
from simulators.bank.cards import TEST_CARDS
from tests.books import rows
from tests.security.surface import Tokens, known_values

pytestmark = pytest.mark.system

BUYERS = 16
SOON_SECONDS = 30.0
_CARD = next(card.number for card in TEST_CARDS if card.behaviour == "approved")
_CARD_FORM = {"number": _CARD, "expiry": "12/39", "cvc": "123"}


class Impatient:
    """A buyer who pays and cancels at the same moment."""

    def __init__(self, system: System, http: httpx.AsyncClient, tokens: Tokens) -> None:
        self._system = system
        self._http = http
        self._tokens = tokens
        self.email = f"{uuid4().hex}@example.test"
        self.order_id = ""
        self.page_at_bank = ""
        self._token = ""

    async def go_to_the_bank(self, known: dict[str, Any]) -> None:
        who = {"email": self.email, "password": uuid4().hex, "name": "Impatient Buyer"}
        self._token = (await self._ask("accounts", "POST", "/people", who))["token"]
        place = {"class_id": known["class_id"], "quantity": 1}
        wish = {"event_id": known["event_id"], "places": [place], "seats": []}
        self.order_id = (await self._ask("orders", "POST", "/orders", wish))["order_id"]
        back = {"return_url": "http://127.0.0.1:1/back"}
        self.page_at_bank = (await self._ask("orders", "POST", f"/orders/{self.order_id}/checkout", back))[
            "redirect_url"
        ]

    async def pay_and_cancel(self) -> None:
        async def later(act: Callable[[], Awaitable[object]]) -> None:
            await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311  # the race itself, which nobody wins always
            await act()

        await asyncio.gather(later(self._pay), later(self._cancel))

    async def _pay(self) -> None:
        await self._http.post(self.page_at_bank, data=_CARD_FORM)

    async def _cancel(self) -> None:
        headers = self._tokens.headers("web", "orders", self._token)
        await self._http.post(f"{self._system.addresses['orders']}/orders/{self.order_id}/cancel", headers=headers)

    async def end(self) -> dict[str, Any]:
        """The order at its end."""

        async def look() -> dict[str, Any] | None:
            order = await self._ask("orders", "GET", f"/orders/{self.order_id}", None)
            return order if order["state"] in ("confirmed", "cancelled") else None

        found: dict[str, Any] = await soon(look)
        return found

    async def was_authorised(self) -> bool:
        """What the bank says."""
        key = make_secrets(self._system.layout).bank_api_key
        payment_id = self.page_at_bank.rsplit("/", 1)[1]
        url = f"{self._system.addresses['bank']}/v1/payments/{payment_id}"
        answer = await self._http.get(url, headers={"Authorization": f"Bearer {key}"})
        return int(answer.raise_for_status().json()["authorised_minor"]) > 0

    async def mails(self) -> list[str]:
        """Subjects of the mails that came."""
        answer = await self._http.get(f"{self._system.addresses['mailbox']}/api/messages", params={"to": self.email})
        return [mail["subject"] for mail in answer.raise_for_status().json()["items"]]

    async def _ask(self, service: str, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = self._tokens.headers("web", service, self._token or None)
        answer = await self._http.request(method, self._system.addresses[service] + path, headers=headers, json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


async def soon(look: Callable[[], Awaitable[Any]]) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + SOON_SECONDS
    while not (found := await look()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return found


async def test_money_that_was_authorised_while_its_buyer_cancelled_has_a_mail_and_no_other(system: System) -> None:
    tokens = Tokens(system.layout.keys)
    async with httpx.AsyncClient(timeout=30) as http:
        known = await known_values(http, system, tokens)
        buyers = [Impatient(system, http, tokens) for _ in range(BUYERS)]
        for buyer in buyers:
            await buyer.go_to_the_bank(known)
        await asyncio.gather(*(buyer.pay_and_cancel() for buyer in buyers))
        cancelled = [buyer for buyer in buyers if (await buyer.end())["state"] == "cancelled"]
        assert cancelled
        for buyer in cancelled:
            query = "SELECT paid FROM purchase_order WHERE order_id = $1::text::uuid"
            (row,) = await rows(system, "orders", query, buyer.order_id)
            assert row["paid"] == await buyer.was_authorised()
            if row["paid"]:
                (subject,) = await soon(buyer.mails)
                assert "money" in subject.lower() or "cancelled" in subject.lower()
