"""Somebody buys with a name, an address, a password and a card that are easy to recognise: none of it, and no secret of the
system, is in any span or log; and what spans tell is what the registry of names says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest

from local.browser import Browser, Page
from local.buyer import GOOD_CARD, Buyer, Wish
from local.system import System
from local.topology import SERVICES
from tests.leaks import Canary, leaks_of
from tests.system.test_edges import DECLINED_CARD, Member
from tracing.model import Trace
from tracing.reader import TraceReader
from tracing.registry import unlike_registry

pytestmark = pytest.mark.system

MARK = uuid4().hex[:10]
NAME = f"Zoë Kanarienvogel {MARK}"
EMAIL = f"kanari+{MARK}@example.test"
PASSWORD = f"a feather of {MARK}, please"
SEARCHED = f"seeds for {MARK}"
QUIET_SECONDS = 1.5
SOON_SECONDS = 30.0
MARGIN_SECONDS = 10.0
MOST_TRACES = 1500
# Where something could be written that must not be: otherwise the test would find nothing because nothing happened.
MET = {
    "GET /live/orders/{order_id}",
    "PATCH /people/me",
    "PUT /v1/payments/{key}",
    "notifications.send_email",
    "payments.follow_webhook",
    "smtp send",
    "tickets.print_tickets",
    "web.tell_order",
}


class Kanari(Member):
    """A member who is easy to recognise."""

    def __init__(self, system: System, browser: Browser) -> None:
        super().__init__(system, browser)
        self._email = EMAIL

    @property
    def cookies(self) -> set[str]:
        """The values of all cookies that the browser has now."""
        return set(self._browser._cookies.values())

    def cookie_header(self, path: str) -> str:
        return "; ".join(self._browser._cookies_for(urlsplit(self._shop).hostname or "", path))

    async def until_mailed(self) -> None:
        """Waits for the e-mail with the tickets."""
        deadline = time.monotonic() + SOON_SECONDS
        url = f"{self._system.addresses['mailbox']}/api/messages?{urlencode({'to': EMAIL})}"
        while not (await self._browser.json(url)).get("items"):
            assert time.monotonic() < deadline, "no e-mail came"
            await asyncio.sleep(0.2)

    async def go_to_the_bank(self, order_path: str) -> Page:
        """With the name that is easy to recognise."""
        form = (await self.open(order_path)).form_to("/pay$")
        assert form is not None
        return await self._browser.submit(form, [("name", NAME), ("email", EMAIL)])

    async def say(self, path: str, to: str, filled: list[tuple[str, str]]) -> None:
        """Sends a form, whatever the answer is."""
        form = (await self._browser.open(self._shop + path)).form_to(to)
        assert form is not None
        await self._browser.submit(form, filled)


async def buy_and_stumble(system: System) -> set[str]:
    """Signs up twice, types wrong things, is declined, pays, watches the order live; what else must not get out."""
    async with Browser() as browser:
        kanari = Kanari(system, browser)
        signing_up = [("email", EMAIL), ("password", PASSWORD), ("name", NAME)]
        await kanari.say("/sign-up", "/sign-up$", signing_up)
        secret = kanari.cookies
        finder = await browser.open(f"{system.addresses['web']}/?q={SEARCHED}")
        assert finder.status == 200
        found = await Buyer(system.addresses, Wish(places=1, prefer_general=True)).find_events()
        event_path = found[0].removeprefix(system.addresses["web"])
        order_path = await kanari.hold(event_path)
        async with watching(system, kanari, order_path):
            await kanari.say(order_path, "/pay$", [("name", NAME), ("email", f"{MARK} is no address")])
            await kanari.say(order_path, "/pay$", [("name", NAME), ("email", f"kanari@{MARK}..example.test")])
            await kanari.pay(await kanari.go_to_the_bank(order_path), DECLINED_CARD)
            await kanari.until(order_path, "phase", "declined")
            await kanari.pay(await kanari.go_to_the_bank(order_path), GOOD_CARD)
            await kanari.until(order_path, "phase", "confirmed")
            await kanari.until_mailed()
        secret |= kanari.cookies
        secret |= set((await kanari.open(order_path)).all_data("ticket-code"))
        await kanari.leave()
        await kanari.say("/sign-in", "/sign-in$", [("email", EMAIL), ("password", f"not {PASSWORD}")])
        await kanari.say("/sign-up", "/sign-up$", signing_up)
        await send_nonsense(system)
        return secret | kanari.cookies


@asynccontextmanager
async def watching(system: System, kanari: Kanari, order_path: str) -> AsyncIterator[None]:
    """An open page that hears of the order live, as long as the block lasts."""
    path = f"/live{order_path}"
    async with httpx.AsyncClient(base_url=system.addresses["web"], timeout=SOON_SECONDS) as client:
        headers = {"cookie": kanari.cookie_header(path)}
        async with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            reading = asyncio.create_task(read_all(response))
            try:
                yield
            finally:
                reading.cancel()
                await asyncio.wait([reading])


async def read_all(response: httpx.Response) -> None:
    async for _ in response.aiter_bytes():
        pass


async def send_nonsense(system: System) -> None:
    """Bodies, headers and addresses that are refused, each with something in it that must not be repeated."""
    for service in SERVICES:
        async with httpx.AsyncClient(base_url=system.addresses[service], timeout=SOON_SECONDS) as client:
            for method, path in (
                ("POST", "/orders"),
                ("POST", "/sessions"),
                ("POST", "/verify"),
                ("POST", "/webhooks/bank"),
            ):
                await client.request(method, path, json={"email": EMAIL, "password": PASSWORD, "code": [NAME]})
            headers = {
                "Authorization": f"Bearer {PASSWORD}",
                "Onsale-Person": EMAIL,
                "traceparent": NAME.encode().hex(),
            }
            await client.get("/people/me", headers=headers)
            await client.get("/orders", params={"after": PASSWORD, "limit": EMAIL})


def secrets_of(system: System) -> Iterator[Canary]:
    """All that `secrets.json` holds."""
    secrets: dict[str, Any] = json.loads((system.layout.folder / "secrets.json").read_text())
    for name, value in secrets.items():
        for part in value.values() if isinstance(value, dict) else (value,):
            yield Canary(f"a secret of the system ({name})", part)


async def all_traces(system: System, since: float) -> list[Trace]:
    """Those that began since then, once no more spans arrive."""
    quiet_since, known = time.monotonic(), -1
    with TraceReader(system.addresses["traces"], timeout_seconds=30) as reader:
        while True:
            found = {
                trace.trace_id: trace
                for service in SERVICES
                for trace in await asyncio.to_thread(_began_since, reader, service, since)
            }
            count = sum(len(trace.spans) for trace in found.values())
            if count != known:
                quiet_since, known = time.monotonic(), count
            elif time.monotonic() - quiet_since > QUIET_SECONDS:
                return list(found.values())
            await asyncio.sleep(0.2)


def _began_since(reader: TraceReader, service: str, since: float) -> list[Trace]:
    # How far back is reckoned at each question, with a margin that is cut off again: on a busy machine the same traces
    # are found each time, however long the questions before took.
    lookback = time.time() - since + MARGIN_SECONDS
    found = reader.search(service, lookback_seconds=lookback, limit=MOST_TRACES)
    return [trace for trace in found if trace.start_ns >= since * 1e9]


async def test_no_span_and_no_log_tells_who_buys_or_how_one_gets_in(system: System) -> None:
    began = time.time()
    cookies_and_codes = await buy_and_stumble(system)
    canaries = [
        Canary("the buyer's name", NAME),
        Canary("the buyer's e-mail address", EMAIL),
        Canary("something of the buyer's", MARK),
        Canary("a password", PASSWORD),
        Canary("a card number", GOOD_CARD),
        Canary("a card number", GOOD_CARD.replace(" ", "")),
        Canary("a token", "eyJhbGciOi"),
        Canary("a ticket code", "OS1.A"),
        Canary("a PDF", "%PDF-"),
        *(Canary("a cookie or a ticket code", text) for text in cookies_and_codes),
        *secrets_of(system),
    ]
    traces = await all_traces(system, began)
    logs = sorted((system.layout.folder / "logs").glob("*.log"))
    met = {span.name for trace in traces for span in trace.spans}
    assert met >= MET, f"The tour did not lead by {', '.join(sorted(MET - met))}."
    assert set(logs) >= {system.log_file(name) for name in SERVICES}
    leaks = leaks_of(traces, logs, canaries)
    assert not leaks, "\n".join(leaks)
    faults = unlike_registry(traces)
    assert not faults, "\n".join(faults)
    orphans = [f"{span.service} {span.name} in {trace.trace_id}" for trace in traces for span in trace.orphans]
    assert not orphans, "\n".join(orphans)
    roots = {f"{span.service} {span.kind} {span.name}" for trace in traces for span in trace.roots}
    assert {root for root in roots if not is_a_beginning(root)} == set()


def is_a_beginning(root: str) -> bool:
    """What may begin a trace: a request from outside, a look that nobody caused, a file that is loaded, a process."""
    _service, kind, name = root.split(" ", 2)
    return (
        kind == "server"
        or name in {"web.tell_order", "web.compare_places"}
        or name.startswith(("catalog.import", "start "))
    )
