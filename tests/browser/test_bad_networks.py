"""Live pages on networks as they are: sockets that do not open, end, go silent, do not keep up; and a phone in a tunnel.

A socket is a bonus. Whatever becomes of it, the page shows what is true a moment later, and somebody buys.
"""

import json
import os
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, choose
from tests.browser.network import Network

pytestmark = pytest.mark.browser

THEATRE = "Lighthouse"
Visits = Callable[..., Visit]
# Without a socket is asked every five seconds; a dead one is noticed after five.
SOON_MS = 15_000
# 1: two minutes away, one there, three seconds on the way, as `make tunnel` has it. Less: all of it shorter.
SCALE = float(os.environ.get("TUNNEL_SCALE", "0.1"))
AWAY_SECONDS, THERE_SECONDS, LATENCY_SECONDS = 120 * SCALE, 60 * SCALE, 3 * SCALE
# A person's patience: whatever is under way arrives after the tunnel at the latest.
PATIENCE_MS = (AWAY_SECONDS + THERE_SECONDS) * 2000 + 20_000


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    with network.running():
        yield network


def on(network: Network) -> dict[str, Any]:
    """A browser whose every connection goes through the network, also those to this machine itself."""
    return {"proxy": {"server": network.address, "bypass": "<-loopback>"}}


def looking(visit: Visits, network: Network) -> Page:
    page = visit(**PHONE, **on(network)).open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    return page


def live_by(page: Page, way: str) -> None:
    """Waits until the page is kept up to date by a socket, or by asking."""
    expect(page.locator("html")).to_have_attribute("data-live", way, timeout=SOON_MS)


def free_seat(page: Page) -> str:
    """A seat that can be chosen, from the end of the list: others choose from its beginning."""
    value = page.locator("input[name=seat]:enabled").last.get_attribute("value")
    assert value
    return value


def seat_of(page: Page, value: str) -> Locator:
    return page.locator(f'input[name=seat][value="{value}"]')


def hold(visit: Visits, value: str) -> Page:
    """Somebody else, with a good connection, holds a seat; their order's page."""
    page = visit(**DESKTOP).open_event(THEATRE)
    choose(seat_of(page, value))
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    return page


def give_back(order: Page) -> None:
    order.get_by_role("button", name="Cancel this order").click()
    expect(order.locator("#main")).to_have_attribute("data-order-state", "cancelled")


def sees_what_others_do(visit: Visits, page: Page) -> None:
    """A seat that somebody takes and gives back is seen, whichever way."""
    value = free_seat(page)
    order = hold(visit, value)
    expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    give_back(order)
    expect(seat_of(page, value)).to_be_enabled(timeout=SOON_MS)


def test_a_socket_that_cannot_be_opened(visit: Visits, network: Network) -> None:
    network.refuses_sockets = True
    page = visit(**PHONE, **on(network)).open_event(THEATRE)
    live_by(page, "asking")
    sees_what_others_do(visit, page)
    assert network.opened_sockets == 0
    network.refuses_sockets = False
    # It is tried again by itself.
    live_by(page, "socket")


def test_a_socket_that_ends_abruptly(visit: Visits, network: Network) -> None:
    page = looking(visit, network)
    live_by(page, "socket")
    value = free_seat(page)
    network.refuses_sockets = True
    network.break_sockets()
    live_by(page, "asking")
    order = hold(visit, value)
    expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    network.refuses_sockets = False
    live_by(page, "socket")
    give_back(order)
    expect(seat_of(page, value)).to_be_enabled()


def test_a_socket_that_goes_silent(visit: Visits, network: Network) -> None:
    page = looking(visit, network)
    live_by(page, "socket")
    opened = network.opened_sockets
    value = free_seat(page)
    network.silence_sockets()
    order = hold(visit, value)
    # Nobody says that it is dead: the page notices that its heart does not beat, asks, and opens another one.
    expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    live_by(page, "socket")
    assert network.opened_sockets > opened
    give_back(order)
    expect(seat_of(page, value)).to_be_enabled()


def test_a_browser_that_does_not_keep_up(visit: Visits, network: Network) -> None:
    """The server has dropped it and says so (test_slow_sockets.py): it asks from time to time, and does not come back at once."""
    watching = visit(**PHONE)
    sockets: list[WebSocketRoute] = []

    def drop(route: WebSocketRoute) -> None:
        sockets.append(route)
        route.close(code=1013, reason="Your connection does not keep up. Ask from time to time instead.")

    watching.page.route_web_socket("**/live/**", drop)
    page = watching.open_event(THEATRE)
    live_by(page, "asking")
    sees_what_others_do(visit, page)
    assert len(sockets) == 1


def test_something_that_got_lost_between_two_messages(visit: Visits) -> None:
    """A version that does not follow on the last one: the whole is asked for, and shown."""
    watching = visit(**PHONE)
    told: list[str] = []

    def lose_one(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        is_first = not told

        def pass_on(message: str | bytes) -> None:
            if '"kind":"change"' in str(message):
                told.append(str(message))
                # The first change of the first socket never arrives.
                if is_first and len(told) == 1:
                    return
            route.send(message)

        server.on_message(pass_on)

    watching.page.route_web_socket("**/live/**", lose_one)
    page = watching.open_event(THEATRE)
    live_by(page, "socket")
    lost, later = free_seat(page), page.locator("input[name=seat]:enabled").nth(-2).get_attribute("value")
    orders = [hold(visit, lost), hold(visit, str(later))]
    for value in (lost, str(later)):
        expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    for order in orders:
        give_back(order)


def test_an_old_answer_that_comes_late_is_not_kept(visit: Visits) -> None:
    """A proxy, or another process, answers what was true before, when the next socket has asked already what was missed.

    Nothing was: the page had heard all, but what it shows is older since.
    """
    watching = visit(**PHONE)
    page, snapshots, sockets = watching.page, list[str](), list[WebSocketRoute]()
    asked, held, is_late = list[Route](), list[str | bytes](), Event()

    def wait(route: Route) -> None:
        asked.append(route)

    def carry(route: WebSocketRoute) -> None:
        sockets.append(route)
        server, is_second = route.connect_to_server(), len(sockets) == 2

        def pass_on(message: str | bytes) -> None:
            if '"kind":"snapshot"' in str(message):
                snapshots.append(str(message))
            held.append(message) if is_second and not is_late.is_set() else route.send(message)

        server.on_message(pass_on)

    page.route("**/api/events/*/places", wait, times=1)
    page.route_web_socket("**/live/**", carry)
    # Somebody else looks all the time, so that the server remembers what was said.
    live_by(visit(**DESKTOP).open_event(THEATRE), "socket")
    watching.open_event(THEATRE)
    live_by(page, "socket")
    value = free_seat(page)
    order = hold(visit, value)
    expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    # How many places are left is said a moment after the seat.
    page.wait_for_timeout(1500)
    sockets[0].close()
    while len(held) < 2 or not asked:
        page.wait_for_timeout(50)
    asked[0].fulfill(body=snapshots[0], content_type="application/json")
    expect(seat_of(page, value)).to_be_enabled()
    assert '"kind":"same"' in str(held[1])
    is_late.set()
    for message in held:
        sockets[1].send(message)
    expect(seat_of(page, value)).to_be_disabled(timeout=SOON_MS)
    give_back(order)


def test_a_server_that_does_not_know_the_seats_gives_none_of_them_back(visit: Visits) -> None:
    """It has just started, and inventory is away: what the page shows is better than nothing."""
    watching = visit(**DESKTOP)
    value = free_seat(watching.open_event(THEATRE))
    order = hold(visit, value)

    def know_nothing(route: WebSocketRoute) -> None:
        for message in (
            {"kind": "hello", "heartbeat_ms": 15000},
            {"kind": "snapshot", "version": "x.0", "seats": "unknown"},
        ):
            route.send(json.dumps(message))

    watching.page.route_web_socket("**/live/**", know_nothing)
    page = watching.open_event(THEATRE)
    live_by(page, "socket")
    expect(seat_of(page, value)).to_be_disabled()
    give_back(order)


@pytest.fixture
def tunnel(network: Network) -> Iterator[Network]:
    """The phone's network, from now on: away, there, away, there, and slow."""
    network.latency_seconds = LATENCY_SECONDS / 2
    ended = Event()

    def ride() -> None:
        while not ended.wait(THERE_SECONDS):
            network.away()
            is_over = ended.wait(AWAY_SECONDS)
            network.back()
            if is_over:
                return

    riding = Thread(target=ride, name="tunnel")
    riding.start()
    yield network
    ended.set()
    riding.join(30)


def test_a_phone_in_a_tunnel_buys_its_ticket(visit: Visits, tunnel: Network) -> None:
    buyer = visit(**PHONE, **on(tunnel))
    buyer.context.set_default_timeout(PATIENCE_MS)
    buyer.context.set_default_navigation_timeout(PATIENCE_MS)
    page = buyer.open_event(THEATRE)
    value = free_seat(page)
    choose(seat_of(page, value))
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    buyer.pay_at_the_bank()
    expect(page.locator("[data-ticket-code]")).to_have_count(1, timeout=PATIENCE_MS)
