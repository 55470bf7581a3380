"""A person's way through a waiting room, against one that is played here; and what is said of it afterwards."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from local.bench.crowd import Visitor
from rehearsal.crowd.driver import Rehearsed
from rehearsal.crowd.lobby import Lobby, Shown
from rehearsal.crowd.plan import LATE_SHARE, MISSING_SHARE, Behaviour, Person, crowd_of
from rehearsal.crowd.record import End, GaveUp, Record, Request, Seen, Waited
from rehearsal.crowd.waiting import Waiting
from rehearsal.lots import Lots
from rehearsal.report.page import page_of
from rehearsal.report.queue import admission_sentence, admissions_of, rates_over_time, safe_admissions, waited_examples
from rehearsal.report.words import Told
from rehearsal.sale import Door

EVENT = "/events/1"
FORM = '<form action="{to}"><input type="hidden" name="form_token" value="t"></form>'
PAGES = {
    "join": FORM.format(to=f"{EVENT}/queue"),
    "missed": FORM.format(to=f"{EVENT}/queue"),
    "turn": FORM.format(to=f"{EVENT}/queue/pass"),
}


class Room:
    """A waiting room of one: its phases, one after another, each time that somebody looks."""

    def __init__(self, *phases: str) -> None:
        self.phases = list(phases)
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Its pages; a form leads on, as after a redirect."""
        self.asked.append(f"{request.method} {request.path}")
        if request.method == "POST":
            return web.Response(text="done")
        phase = self.phases.pop(0) if len(self.phases) > 1 else self.phases[0]
        html = f'<main data-phase="{phase}" data-number="7" data-seconds-left="0">{PAGES.get(phase, "")}</main>'
        return web.Response(text=html)


def person(*, misses_turn: bool = False, patience: float = 0.2) -> Person:
    return Person(1, Behaviour.BUYS, 1, 0.0, patience, misses_turn)


async def go_through(room: Room, who: Person, shown: Shown) -> Record:
    """They come in; what was written down of it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", room.answer)
    async with TestServer(app) as server, ClientSession() as http:
        shop = str(server.make_url("")).rstrip("/")
        record = Record(shop, 4)
        lobby = Lobby(http, shop + EVENT, record)
        visitor = Visitor(http, record.notice)
        waiting = Waiting(lobby, record, who, visitor, visitor.go)
        lobby.take(shown)
        await waiting.come_in(shop + EVENT)
        return record


SELLING = Shown(7, "selling", "free", 600.0)


async def test_what_is_shown_may_grow_without_asking_the_rehearsal() -> None:
    app = web.Application()
    said = {"serving": 7, "state": "selling", "places": "free", "rate": 600.0, "waiting": 9, "new": "unknown"}

    async def serving(_request: web.Request) -> web.Response:
        return web.json_response(said)

    app.router.add_get(f"{EVENT}/queue/serving", serving)
    async with TestServer(app) as server, ClientSession() as http:
        shop = str(server.make_url("")).rstrip("/")
        lobby = Lobby(http, shop + EVENT, Record(shop, 4))
        watching = asyncio.create_task(lobby.watch())
        await asyncio.wait_for(lobby.until_served(7), 10)
        watching.cancel()
    assert lobby.shown == SELLING


async def test_somebody_joins_waits_for_the_draw_and_their_number_and_comes_in() -> None:
    room = Room("join", "equal", "waiting", "turn")
    record = await go_through(room, person(), SELLING)
    assert [each for each in room.asked if each.startswith("POST")] == [
        f"POST {EVENT}/queue",
        f"POST {EVENT}/queue/pass",
    ]
    assert [each.number for each in record.waits] == [7]
    assert record.waiting == 0
    assert {each.kind for each in record.requests} == {"look at the waiting room", "join the queue", "come in"}


async def test_who_misses_their_turn_joins_again_if_they_are_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.crowd.waiting.PAUSE_SECONDS", 0.01)
    room = Room("join", "turn", "missed", "turn")
    await go_through(room, person(misses_turn=True), SELLING)
    assert room.asked.count(f"POST {EVENT}/queue") == 2
    with pytest.raises(GaveUp) as gone:
        await go_through(Room("join", "turn", "missed"), person(misses_turn=True, patience=0.9), SELLING)
    assert gone.value.end is End.MISSED


async def test_who_misses_their_turn_does_not_stay_until_it_ends_when_all_is_sold_before() -> None:
    async with ClientSession() as http:
        lobby = Lobby(http, f"http://shop.test{EVENT}", Record("http://shop.test", 4))
        waiting = asyncio.create_task(lobby.until_over(60.0))
        await asyncio.sleep(0)
        lobby.take(Shown(5, "selling", "none", 600.0))
        async with asyncio.timeout(20):
            await waiting


async def test_nobody_asks_or_waits_when_nothing_is_left() -> None:
    room = Room("join")
    with pytest.raises(GaveUp) as gone:
        await go_through(room, person(), Shown(7, "selling", "none", 600.0))
    assert (gone.value.end, room.asked) == (End.SOLD_OUT, [])


async def test_who_waits_goes_on_when_their_number_is_served_and_all_do_when_it_is_over() -> None:
    async with ClientSession() as http:
        lobby = Lobby(http, f"http://shop.test{EVENT}", Record("http://shop.test", 4))
        waits = {number: asyncio.create_task(lobby.until_served(number)) for number in (9, 3, 5)}
        await asyncio.sleep(0)
        lobby.take(Shown(5, "selling", "free", 600.0))
        await asyncio.gather(waits[3], waits[5])
        lobby.take(Shown(5, "selling", "in_carts", 600.0))
        await asyncio.sleep(0)
        assert not waits[9].done()
        lobby.take(Shown(5, "selling", "none", 600.0))
        await asyncio.gather(waits[9])


def test_a_waiting_room_brings_the_same_people_some_after_the_draw_and_some_who_miss_their_turn() -> None:
    at_once, queueing = crowd_of(20_000, 3, 100.0), crowd_of(20_000, 3, 100.0, 110.0)
    assert [each.behaviour for each in at_once] == [each.behaviour for each in queueing]
    late = sum(each.arrives_after_seconds > 110 for each in queueing)
    assert abs(late / len(queueing) - LATE_SHARE) < 0.01
    assert abs(sum(each.misses_turn for each in queueing) / len(queueing) - MISSING_SHARE) < 0.01
    assert not any(each.misses_turn for each in at_once)


def seen(at: float, serving: int) -> Seen:
    return Seen(at, serving, 600.0, "selling", "free", 50, 10)


def rehearsed(allowed: list[tuple[float, float]], *, slow_from: float = 1e9) -> Rehearsed:
    """A minute and a half in which 200 people are let in each half minute."""
    record = Record("http://shop.test", 4)
    record.seen = [seen(0, 0), seen(1, 10), seen(29, 200), seen(59, 400), seen(89, 600)]
    record.allowed = allowed
    record.requests = [Request(n, "come in", 200, 3.0 if n >= slow_from else 0.1, "", "a" * 32) for n in range(90)]
    record.waits = [Waited(20.0 + n, float(n), n, f"{n:032x}") for n in range(1, 6)]
    return Rehearsed(crowd_of(10, 1, 5.0), record, Path("told.jsonl"), 89.0)


def test_the_safe_rate_is_that_of_windows_in_which_answers_were_quick_and_the_waiting_room_did_not_slow_down() -> None:
    good = rehearsed([(10, 600.0), (40, 600.0), (70, 600.0)])
    assert [each.is_safe for each in admissions_of(good, 600)] == [True] * 3
    assert safe_admissions(admissions_of(good, 600)) == 400
    assert "400 people a minute" in admission_sentence(good, 600)
    assert "never too much" in admission_sentence(good, 600)
    assert "390 people a minute" in admission_sentence(good, 390)
    slowed = rehearsed([(10, 600.0), (40, 300.0), (70, 300.0)])
    assert [each.is_safe for each in admissions_of(slowed, 600)] == [True, False, False]
    assert "the waiting room slowed down in 2" in admission_sentence(slowed, 600)
    assert admission_sentence(rehearsed([], slow_from=0), None).startswith("No safe admission rate was seen.")


def test_what_was_let_in_is_told_beside_what_was_allowed() -> None:
    found = rates_over_time(rehearsed([(10, 600.0)]), window=30.0)
    assert found["let in"] == [(15.0, 400.0), (45.0, 400.0), (75.0, 400.0)]
    assert found["allowed"] == [(10, 600.0)]
    assert rates_over_time(rehearsed([]))["told"][0] == (0, 600.0)


def test_examples_of_waiting_are_the_shortest_the_middle_and_the_longest() -> None:
    assert [each.number for each in waited_examples(rehearsed([]).record.waits)] == [1, 3, 5]
    assert waited_examples([]) == []


def test_the_page_shows_the_queue_with_traces_of_who_waited() -> None:
    lots = Lots("This draw is NOT as it should be.", is_right=False)
    page = page_of(Told(rehearsed([(10, 600.0)]), 1, 40.0, None, "http://traces.test", Door(600, 120), lots))
    assert lots.sentence in page
    assert "At most 600 a minute were let in, and 120 were inside." in page
    assert "<h2>Waiting room</h2>" in page
    assert all(name in page for name in ("waiting", "now serving", "inside", "let in", "allowed", "at most inside"))
    assert f"http://traces.test/trace/{5:032x}" in page
    assert "All who wait share one question" in page
