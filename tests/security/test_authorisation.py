"""Who may call what: every route of every service, by everybody, with every kind of token that is not one."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest

from local.buyer import Buyer, Wish
from local.system import System
from local.topology import SERVICES
from tests.books import rows
from tests.security.forgeries import forged
from tests.security.surface import OPEN, Route, Tokens, all_routes, known_values, new_guest, path_of

pytestmark = pytest.mark.system

AT_ONCE = 8
REFUSED = {401, 403}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture
def tokens(system: System) -> Tokens:
    return Tokens(system.layout.keys)


class Caller:
    """Calls routes and remembers what was not as it should be."""

    def __init__(self, system: System, http: httpx.AsyncClient, known: dict[str, object]) -> None:
        self._system = system
        self._http = http
        self._known = known
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.calls = 0
        self.wrong: list[str] = []

    async def expect(self, route: Route, who: str, headers: dict[str, str], statuses: set[int]) -> None:
        url = self._system.addresses[route.service] + path_of(route, self._known)
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        async with self._at_once:
            answer = await self._http.request(route.method, url, headers=raw)
        self.calls += 1
        if answer.status_code not in statuses:
            self.wrong.append(f"{route.name} by {who}: {answer.status_code} {answer.text[:100]}")


async def test_every_route_lets_in_its_callers_and_nobody_else(
    system: System, http: httpx.AsyncClient, tokens: Tokens
) -> None:
    caller = Caller(system, http, await known_values(http, system, tokens))
    guest = await new_guest(http, system, tokens)
    closed = [route for route in all_routes(system) if route.callers != OPEN]
    assert len({route.service for route in closed}) == len(SERVICES) - 1  # web has open routes only
    await asyncio.gather(
        *(caller.expect(route, "nobody", {}, {401}) for route in closed),
        *(caller.expect(route, "no bearer", {"Authorization": "Basic d2ViOndlYg=="}, {401}) for route in closed),
        *(
            caller.expect(route, name, tokens.headers(name, route.service, guest), {403})
            for route in closed
            for name in SERVICES
            if name not in route.callers
        ),
        *(
            # Past the door: what is refused then is the request, not the caller.
            caller.expect(route, f"{name} without a person", tokens.headers(name, route.service), {401})
            for route in closed
            if route.needs_person
            for name in route.callers
        ),
        *(
            caller.expect(route, f"{name} for another", tokens.headers(name, _another(route.service), guest), {401})
            for route in closed
            for name in route.callers
            if name in SERVICES
        ),
    )
    assert caller.wrong == []
    assert caller.calls > 300


async def test_no_forged_token_is_taken(system: System, http: httpx.AsyncClient, tokens: Tokens) -> None:
    caller = Caller(system, http, await known_values(http, system, tokens))
    guest = await new_guest(http, system, tokens)
    key_id, person = jwt.get_unverified_header(guest)["kid"], jwt.decode(guest, options={"verify_signature": False})
    people = forged(
        tokens.keys, "people.signing", key_id, {name: person[name] for name in ("iss", "aud", "sub", "guest")}
    )
    people["a service's own"] = tokens.of("web", "orders")
    calls = []
    for route in all_routes(system):
        if route.callers == OPEN:
            continue
        name = route.callers[0]
        services = forged(tokens.keys, name, name, {"iss": name, "aud": route.service})
        calls += [
            caller.expect(route, f"{name}, {what}", {"Authorization": f"Bearer {token}", "Onsale-Person": guest}, {401})
            for what, token in services.items()
        ]
        if route.needs_person:
            honest = tokens.headers(name, route.service)
            calls += [
                caller.expect(route, f"a person, {what}", honest | {"Onsale-Person": token}, {401})
                for what, token in people.items()
            ]
    await asyncio.gather(*calls)
    assert caller.wrong == []
    assert caller.calls > 500


async def test_another_buyers_ids_lead_nowhere_and_change_nothing(
    system: System, http: httpx.AsyncClient, tokens: Tokens
) -> None:
    """A real purchase, looked at and pulled at by somebody else: through web with cookies, and past web with tokens."""
    wish = Wish(places=1)
    purchase = await Buyer(system.addresses, wish).buy(await Buyer(system.addresses, wish).find_events())
    assert purchase.failure is None
    order_id = purchase.order_url.rsplit("/", 1)[1].partition("?")[0]
    before = await _all_of(system, order_id)
    stranger = await new_guest(http, system, tokens)
    asked = [
        ("orders", "GET", f"/orders/{order_id}"),
        ("orders", "POST", f"/orders/{order_id}/refresh"),
        ("orders", "POST", f"/orders/{order_id}/cancel"),
        ("orders", "POST", f"/orders/{order_id}/checkout"),
        ("tickets", "GET", f"/orders/{order_id}/tickets"),
        ("tickets", "GET", f"/orders/{order_id}/tickets.pdf"),
        ("web", "GET", f"/orders/{order_id}"),
        ("web", "GET", f"/orders/{order_id}/tickets.pdf"),
        ("web", "GET", f"/orders/{order_id}/return"),
        ("web", "GET", f"/api/orders/{order_id}"),
        ("web", "GET", f"/live/orders/{order_id}"),
        ("web", "POST", f"/orders/{order_id}/pay"),
        ("web", "POST", f"/orders/{order_id}/cancel"),
    ]
    found = {}
    for service, method, path in asked:
        headers = tokens.headers("web", service, stranger) if service != "web" else {}
        body = {"return_url": "http://127.0.0.1:1/"} if path.endswith("checkout") else None
        answer = await http.request(method, system.addresses[service] + path, headers=headers, json=body)
        found[f"{service} {method} {path}"] = answer.status_code
        assert order_id not in answer.headers.get("location", "")
    assert set(found.values()) == {404}, found
    assert await _all_of(system, order_id) == before


async def _all_of(system: System, order_id: str) -> list[object]:
    queries = {
        "orders": "SELECT state, fence, tries FROM purchase_order WHERE order_id = $1::text::uuid",
        "payments": "SELECT state FROM payment WHERE order_id = $1::text::uuid",
        "tickets": "SELECT ticket_id, state FROM ticket WHERE order_id = $1::text::uuid ORDER BY ticket_id",
    }
    return [await rows(system, service, query, order_id) for service, query in queries.items()]


def _another(service: str) -> str:
    return next(name for name in SERVICES if name != service)
