"""The socket of an event: what it says, how it ends, and what those get who have none."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.web.app import create_app
from services.web.frame import streams
from services.web.tests.integration.conftest import Stage

# The tests' settings.
MOST = 3


def path_of(event_id: UUID) -> str:
    return f"/live/events/{event_id}"


async def take(stage: Stage, *seats: str, state: str = "held") -> None:
    """Somebody takes seats of the play."""
    stage.neighbours.taken[str(stage.play)].update(dict.fromkeys(seats, state))
    changes = [{"seat_id": seat, "state": state} for seat in seats]
    message = {"event_id": str(stage.play), "seats": changes, "classes": []}
    await stage.say_on_bus(f"bus.inventory.places_changed.{stage.play}", message)


async def said(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind; others are passed over."""
    async with asyncio.timeout(20):
        while (message := json.loads(await socket.recv()))["kind"] != kind:
            pass
    return dict(message)


async def test_it_greets_and_says_the_whole_and_then_changes_one_after_the_other(stage: Stage) -> None:
    async with stage.socket(await stage.browser(), path_of(stage.play)) as socket:
        assert json.loads(await socket.recv()) == {"kind": "hello", "heartbeat_ms": 15000}
        snapshot = await said(socket, "snapshot")
        name, number = snapshot["version"].split(".")
        for place, index in (("0-0-0", 0), ("0-0-1", 1)):
            await take(stage, place)
            change = await said(socket, "change")
            number = str(int(number) + 1)
            assert change == {"kind": "change", "version": f"{name}.{number}", "held": [index]}


async def test_who_comes_back_hears_what_was_missed_and_nothing_else(stage: Stage) -> None:
    browser = await stage.browser()
    async with stage.socket(browser, path_of(stage.play)) as other:
        await said(other, "snapshot")
        async with stage.socket(browser, path_of(stage.play)) as socket:
            version = (await said(socket, "snapshot"))["version"]
        for place in ("0-0-0", "0-0-1"):
            await take(stage, place)
            await said(other, "change")
        async with stage.socket(browser, f"{path_of(stage.play)}?have={version}") as socket:
            heard = [await said(socket, "change") for _ in range(2)]
            assert [one["held"] for one in heard] == [[0], [1]]
        async with stage.socket(browser, f"{path_of(stage.play)}?have={heard[1]['version']}") as socket:
            assert (await said(socket, "same"))["version"] == heard[1]["version"]


@pytest.mark.parametrize(
    "have", ["", "0", "x.1", "{name}.99", "{name}.-1", "{name}.1.2", "{name}." + "9" * 5000, "é.²"]
)
async def test_who_has_what_is_not_known_here_gets_the_whole(stage: Stage, have: str) -> None:
    browser = await stage.browser()
    async with stage.socket(browser, path_of(stage.play)) as socket:
        name = (await said(socket, "snapshot"))["version"].split(".")[0]
        query = str(httpx.QueryParams({"have": have.format(name=name)}))
        async with stage.socket(browser, f"{path_of(stage.play)}?{query}") as again:
            assert (await said(again, "snapshot"))["version"].startswith(name)


async def test_a_change_is_sent_while_others_go_on_coming(stage: Stage) -> None:
    """The busier an event, the more there is to see."""
    async with stage.socket(await stage.browser(), path_of(stage.play)) as socket:
        await said(socket, "snapshot")

        async def change_all_the_time() -> None:
            for number in range(400):
                await take(stage, "0-0-1", state=("held", "sold")[number % 2])
                await asyncio.sleep(0.01)

        changing = asyncio.create_task(change_all_the_time())
        try:
            for _ in range(3):
                await said(socket, "change")
            assert not changing.done()
        finally:
            changing.cancel()


async def test_a_heartbeat_comes_in_silence(stage: Stage) -> None:
    quick = stage.settings.model_copy(update={"heartbeat_seconds": 0.1})
    async with stage.harness.serving(create_app(quick)) as base_url:
        stage.base_url = base_url
        async with stage.socket(await stage.browser(), path_of(stage.play)) as socket:
            assert json.loads(await socket.recv()) == {"kind": "hello", "heartbeat_ms": 100}
            for _ in range(2):
                await said(socket, "still-here")


async def test_it_ends_with_a_reason_when_it_was_open_for_long_enough(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_SECONDS", 0.2)
    async with stage.socket(await stage.browser(), path_of(stage.play)) as socket:
        assert await ending(socket) == (1000, "Open for long enough. Come again.")


async def test_a_server_that_stops_says_so(stage: Stage) -> None:
    async with stage.harness.serving(create_app(stage.settings)) as base_url:
        stage.base_url = base_url
        socket = await stage.stack.enter_async_context(stage.socket(await stage.browser(), path_of(stage.play)))
        await said(socket, "snapshot")
    assert (await ending(socket))[0] == 1012


async def ending(socket: ClientConnection) -> tuple[int, str]:
    """The code and the reason with which a socket ends."""
    with pytest.raises(ConnectionClosed) as ended:
        await until_it_ends(socket)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


async def until_it_ends(socket: ClientConnection) -> None:
    async with asyncio.timeout(20):
        while True:
            await socket.recv()


async def test_sockets_are_bounded_in_number_and_the_refusal_says_what_to_do(stage: Stage) -> None:
    browser = await stage.browser()
    for _ in range(MOST):
        await said(await stage.stack.enter_async_context(stage.socket(browser, path_of(stage.play))), "snapshot")
    status, problem = await refused(stage, path_of(stage.play))
    assert (status, problem["code"]) == (503, "too_many_streams")
    await stage.stack.aclose()

    async def is_free_again() -> bool:
        try:
            async with stage.socket(browser, path_of(stage.play)):
                return True
        except InvalidStatus:
            return False

    await stage.harness.eventually(is_free_again)


async def test_an_event_that_is_not_there_and_a_page_of_another_site_are_refused(stage: Stage) -> None:
    nowhere = path_of(UUID(int=1))
    assert (await refused(stage, nowhere))[0] == 404
    status, problem = await refused(stage, path_of(stage.play), Origin="https://elsewhere.example")
    assert (status, problem["code"]) == (403, "foreign_page")
    for origin in (stage.base_url, "http://shop.example"):
        async with stage.socket(await stage.browser(), path_of(stage.play), Origin=origin) as socket:
            await said(socket, "snapshot")


async def refused(stage: Stage, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """The refusal of a socket: its status and its problem."""
    with pytest.raises(InvalidStatus) as refusal:
        async with stage.socket(await stage.browser(), path, **headers):
            pass
    assert refusal.value.response.headers["X-Trace-Id"]
    return refusal.value.response.status_code, json.loads(refusal.value.response.body or b"")


async def test_a_proxy_that_takes_the_upgrade_out_is_told_so(stage: Stage) -> None:
    browser = await stage.browser()
    for path in (path_of(stage.play), f"{path_of(stage.play)}/queue"):
        answer = await browser.http.get(path)
        assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
        assert "does not pass on the headers Upgrade and Connection" in answer.json()["detail"]


async def test_who_has_no_socket_asks_and_hears_the_same(stage: Stage) -> None:
    browser = await stage.browser()
    stage.neighbours.taken[str(stage.play)]["0-0-1"] = "sold"
    address = f"/api/events/{stage.play}/places"
    alone = await browser.http.get(address)
    assert alone.headers["cache-control"] == "public, max-age=1"
    async with stage.socket(browser, path_of(stage.play)) as socket:
        snapshot = await said(socket, "snapshot")
        assert (await browser.http.get(address)).json() == snapshot
        assert {**alone.json(), "version": ""} == {**snapshot, "version": ""}
        await take(stage, "0-0-0")
        change = await said(socket, "change")
        asked = (await browser.http.get(address)).json()
        assert (asked["version"], asked["held"]) == (change["version"], [0])
    assert (await browser.http.get(f"/api/events/{UUID(int=1)}/places")).status_code == 404


async def test_while_inventory_is_away_no_seat_is_said_to_be_free(stage: Stage) -> None:
    stage.neighbours.taken[str(stage.play)]["0-0-1"] = "sold"
    stage.neighbours.down.add("inventory")
    browser = await stage.browser()
    async with stage.socket(browser, path_of(stage.play)) as socket:
        for whole in (
            await said(socket, "snapshot"),
            (await browser.http.get(f"/api/events/{stage.play}/places")).json(),
        ):
            assert (whole["seats"], "free" in whole) == ("unknown", False)
        stage.neighbours.down.clear()
        known = await said(socket, "snapshot")
        assert (known["sold"], "seats" in known) == ([1], False)


async def test_many_who_ask_at_once_are_one_question_to_inventory(stage: Stage) -> None:
    browser = await stage.browser()
    await asyncio.gather(*(browser.http.get(f"/api/events/{stage.play}/places") for _ in range(30)))
    assert stage.neighbours.count("inventory", f"/events/{stage.play}/availability") == 1
