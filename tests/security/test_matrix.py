"""Every route of every service, asked by everybody, over HTTP of the running system, held against the table in matrix.py."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from chassis.tokens import load_signing_key
from local.provision import make_secrets
from local.system import System
from local.topology import SERVICES as NAMES
from tests.security.matrix import PAGES, SERVICES, SIGNED, Outcome, of_person, of_service, of_visitor
from tests.security.surface import Route, Tokens, all_routes, known_values, new_guest, path_of

pytestmark = pytest.mark.system

AT_ONCE = 8
SOON_SECONDS = 20.0
FREE_EVENT = "Unfinished Novels"
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass
class Cast:
    """Everybody who asks: people's tokens, browsers' cookies, and one confirmed order, which is the buyer's."""

    people: dict[str, str] = field(default_factory=dict)
    browsers: dict[str, dict[str, str]] = field(default_factory=dict)
    order_id: str = ""
    number: str = ""
    ticket_code: str = ""
    known: dict[str, Any] = field(default_factory=dict)


class Casting:
    """Brings the cast together, each as they really come to be."""

    def __init__(self, system: System, http: httpx.AsyncClient, tokens: Tokens) -> None:
        self._system = system
        self._http = http
        self._tokens = tokens
        self.cast = Cast()

    async def play(self) -> Cast:
        cast = self.cast
        cast.known = await known_values(self._http, self._system, self._tokens)
        for name in ("buyer", "another buyer"):
            await self._sign_up(name)
        cast.people["a guest"] = await new_guest(self._http, self._system, self._tokens)
        await self._buy_for_nothing()
        cast.browsers["nobody"] = {}
        cast.browsers["a guest"] = await self._guest_in_a_browser()
        cast.browsers["support"] = await self._come_in(
            "/support", "/support/enter", {"key": make_secrets(self._system.layout).web_support_key}
        )
        return cast

    async def _sign_up(self, name: str) -> None:
        email, password = f"{uuid4().hex}@example.test", uuid4().hex
        body = {"email": email, "password": password, "name": name.title()}
        made = await self._ask("accounts", "POST", "/people", None, body)
        self.cast.people[name] = made["token"]
        self.cast.browsers[name] = await self._come_in("/sign-in", "/sign-in", {"email": email, "password": password})

    async def _buy_for_nothing(self) -> None:
        """A free order confirms itself: no bank is needed."""
        cast, buyer = self.cast, self.cast.people["buyer"]
        found = await self._ask("catalog", "GET", f"/events?query={FREE_EVENT}", None)
        event = await self._ask("catalog", "GET", f"/events/{found['items'][0]['event_id']}", None)
        place = {"class_id": event["classes"][0]["class_id"], "quantity": 1}
        wish = {"event_id": event["event_id"], "places": [place], "seats": []}
        order = await self._ask("orders", "POST", "/orders", buyer, wish)
        cast.order_id, cast.number = order["order_id"], order["number"]
        back = {"return_url": "http://127.0.0.1:1/back"}
        await self._ask("orders", "POST", f"/orders/{cast.order_id}/checkout", buyer, back)
        deadline = time.monotonic() + SOON_SECONDS
        while not cast.ticket_code:
            assert time.monotonic() < deadline, "The free order has no tickets."
            headers = self._tokens.headers("web", "tickets", buyer)
            url = f"{self._system.addresses['tickets']}/orders/{cast.order_id}/tickets"
            answer = await self._http.get(url, headers=headers)
            items = answer.json().get("items") if answer.is_success else None
            cast.ticket_code = items[0]["code"] if items else ""
            await asyncio.sleep(0.05)

    async def _ask(
        self, service: str, method: str, path: str, person: str | None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = self._tokens.headers("web", service, person)
        answer = await self._http.request(method, self._system.addresses[service] + path, headers=headers, json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def _come_in(self, page: str, action: str, fields: dict[str, str]) -> dict[str, str]:
        """Opens a page, sends its form, and has the cookies that came of it."""
        async with httpx.AsyncClient(base_url=self._system.addresses["web"], timeout=30) as browser:
            token = _FORM_TOKEN.search((await browser.get(page)).text)
            assert token is not None, page
            answer = await browser.post(action, data={"form_token": token[1]} | fields)
            assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
            return dict(browser.cookies)

    async def _guest_in_a_browser(self) -> dict[str, str]:
        known = self.cast.known
        path = f"/events/{known['event_id']}"
        return await self._come_in(path, f"{path}/orders", {f"quantity-{known['class_id']}": "1"})


class Asking:
    """Asks cells of the matrix and remembers those that are not as the table says."""

    def __init__(self, system: System, http: httpx.AsyncClient, cast: Cast) -> None:
        self._system = system
        self._http = http
        self._cast = cast
        self.cells = 0
        self.wrong: list[str] = []

    async def cell(self, route: Route, who: str, headers: dict[str, str], expected: Outcome) -> None:
        """One caller at one route. Whatever comes back, nobody but the buyer and their services may read of the order."""
        known = self._cast.known | {"order_id": self._cast.order_id, "number": self._cast.number}
        url = self._system.addresses[route.service] + path_of(route, known)
        more = "?key=nonsense" if route.path.endswith("/open") else ""
        body = {"return_url": "http://127.0.0.1:1/back"} if route.path.endswith("/checkout") else None
        async with self._http.stream(route.method, url + more, headers=headers, json=body) as answer:
            is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
            text = "" if is_stream else (await answer.aread()).decode("latin-1")
        self.cells += 1
        found = _outcome(answer.status_code, text)
        if found != expected:
            self.wrong.append(f"{route.name} by {who}: {answer.status_code} ({found}), not {expected}. {text[:90]}")
        elif self._shows_too_much(route, who, text):
            self.wrong.append(f"{route.name} by {who} tells of an order that is not theirs.")

    def _shows_too_much(self, route: Route, who: str, text: str) -> bool:
        """Whether somebody reads of the order who is neither its buyer nor has its link; support has named it itself."""
        theirs = ("for the buyer", "web for buyer", "link", "on nobody's behalf")
        if who.startswith("buyer") or any(words in who for words in theirs):
            return False
        return self._cast.ticket_code in text or ("{number}" not in route.path and self._cast.number in text)


def _outcome(status: int, text: str) -> str:
    if "Support key" in text and status == httpx.codes.OK:
        return "key page"
    if '"support_key_wrong"' in text:
        return "wrong key"
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "broken"
    named = {401: "unknown caller", 403: "forbidden"}
    if status in named:
        return named[status]
    hidden = ('"order_unknown"', '"tickets_unknown"', 'data-problem="order_unknown"', 'data-problem="tickets_unknown"')
    return "not found" if any(code in text for code in hidden) else "through"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture
def tokens(system: System) -> Tokens:
    return Tokens(system.layout.keys)


def test_every_route_is_in_the_table_and_every_row_is_a_route(system: System) -> None:
    there = {route.name for route in all_routes(system)}
    listed = {*SERVICES, *SIGNED, *(f"web {page}" for page in PAGES)}
    assert there - listed == set(), "Say in tests/security/matrix.py who may call these."
    assert listed - there == set(), "These rows have no route any more."


async def test_every_cell_is_as_the_table_says(system: System, http: httpx.AsyncClient, tokens: Tokens) -> None:
    cast = await Casting(system, http, tokens).play()
    asking = Asking(system, http, cast)
    routes = {route.name: route for route in all_routes(system)}
    people = _people(tokens, cast)
    # Each is made when its turn has come: a token lives for a minute, and on a busy machine a thousand requests take longer.
    cells = chain(
        (
            asking.cell(routes[name], who, headers, expected)
            for name in SERVICES
            for who, headers, expected in chain(
                _by_services(tokens, routes[name], people), _by_people(tokens, name, people)
            )
        ),
        (
            asking.cell(routes[f"web {page}"], visitor, _cookies(cookies), of_visitor(kind, visitor))
            for page, kind in PAGES.items()
            for visitor, cookies in cast.browsers.items()
        ),
    )

    async def ask_in_turn() -> None:
        for cell in cells:
            await cell

    await asyncio.gather(*(ask_in_turn() for _ in range(AT_ONCE)))
    assert asking.wrong == [], "\n".join(asking.wrong)
    assert asking.cells > 1_000


def _by_services(
    tokens: Tokens, route: Route, people: dict[tuple[str, str], str]
) -> Iterator[tuple[str, dict[str, str], Outcome]]:
    """Each service with each kind of token, on behalf of the buyer; and nobody."""
    row, to = SERVICES[route.name], route.service
    on_behalf = {} if row.behalf == "nobody" else {"Onsale-Person": people["buyer", "good"]}
    yield "nobody", {}, of_service(row, "", "none")
    another = next(name for name in NAMES if name != to)
    for name in NAMES:
        kinds = {
            "good": tokens.of(name, to),
            "for another": tokens.of(name, another),
            "expired": _signed(tokens, name, name, {"iss": name, "aud": to}, lives_seconds=-3600),
        }
        for kind, token in kinds.items():
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex} | on_behalf
            yield f"{name} ({kind} token, for the buyer)", headers, of_service(row, name, kind)


def _by_people(
    tokens: Tokens, name: str, people: dict[tuple[str, str], str]
) -> Iterator[tuple[str, dict[str, str], Outcome]]:
    """The right service on behalf of everybody, with each kind of a person's token."""
    row, to = SERVICES[name], name.partition(" ")[0]
    if row.behalf == "nobody":
        return
    for (person, kind), token in people.items():
        yield (
            f"web for {person} ({kind} token)",
            tokens.headers("web", to, token or None),
            of_person(row, person, kind),
        )


def _people(tokens: Tokens, cast: Cast) -> dict[tuple[str, str], str]:
    """Tokens by person and kind."""
    buyer = jwt.decode(cast.people["buyer"], options={"verify_signature": False})
    key_id = jwt.get_unverified_header(cast.people["buyer"])["kid"]
    claims = {name: buyer[name] for name in ("iss", "aud", "sub", "guest")}
    link = claims | {"order": cast.order_id}
    return {(person, "good"): token for person, token in cast.people.items()} | {
        ("nobody", "no"): "",
        ("buyer", "expired"): _signed(tokens, "people.signing", key_id, claims, lives_seconds=-3600),
        ("buyer", "a service's"): tokens.of("web", "orders"),
        ("who has the order's link", "good"): _signed(tokens, "people.signing", key_id, link),
    }


def _signed(tokens: Tokens, key_name: str, key_id: str, claims: dict[str, Any], lives_seconds: int = 60) -> str:
    now = int(time.time())
    moment = {"iat": now + min(lives_seconds, 0) - 60, "exp": now + lives_seconds}
    key = load_signing_key(tokens.keys / f"{key_name}.pem")
    return jwt.encode(claims | moment, key, algorithm="EdDSA", headers={"kid": key_id})


def _cookies(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
