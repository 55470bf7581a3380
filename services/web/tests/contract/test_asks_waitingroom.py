"""What web needs of waitingroom: sales to show and to steer, how somebody stands, a pass, and what was drawn."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from chassis.asking import Use
from chassis.http import ProviderBusyForYou, ProviderProblem
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, State, a_state, an_id, ask, asks, problem
from services.web.clients.waitingroom import (
    ANNOUNCE_SALE,
    COME_IN,
    GET_SALE,
    GET_STANDING,
    JOIN_QUEUE,
    LIST_DRAWN,
    MAKE_CHALLENGE,
    STEER_SALE,
    Announcement,
    Steering,
    WaitingroomClient,
)

waitingroom = asks("web", "waitingroom", WaitingroomClient)

TOKEN = "a.persons.token"
ADDRESS = "ab" * 32
SEED = "5eed" * 16
TURN_SECONDS, PASS_SECONDS = 120, 600
DOORS, STARTS = "2031-06-21T17:30:00Z", "2031-06-21T18:00:00Z"
LONG_AGO, A_LITTLE_LATER = "2026-01-05T10:00:00Z", "2026-01-05T10:30:00Z"
NOTHING_KNOWN = {"places_left": matchers.nothing(), "places_in_carts": matchers.nothing()}
JOINING: dict[str, Any] = {"address": ADDRESS, "solution": None}
# A challenge as the page's script understands it (static/compute.js), and what it sends back: to web both are words.
PUZZLE = (
    '{"parameters": {"algorithm": "PBKDF2/SHA-256", "cost": 5000, "keyLength": 32, "keyPrefix": "00ff", "nonce": "0a0b", '
    '"salt": "0c0d", "keySignature": "0e0f", "expiresAt": 1924948800, "data": {"event": "a"}}, "signature": "1a1b"}'
)
PUZZLES = (
    r'^\{"parameters": \{"algorithm": "PBKDF2/SHA-256", "cost": \d+, "keyLength": 32, "keyPrefix": "([0-9a-f]{2})+", '
    r'"nonce": "[0-9a-f]+", "salt": "[0-9a-f]+", .*\}, "signature": "[0-9a-f]+"\}$'
)
SOLUTION = "YW4gYW5zd2Vy"
_OVER = {"algorithm": "PBKDF2/SHA-256", "nonce": "0a0b", "salt": "0c0d", "cost": 1, "expiresAt": 1767607200}
LATE = b64encode(
    json.dumps({"challenge": {"parameters": _OVER}, "solution": {"counter": 0, "derivedKey": ""}}).encode()
).decode()
NOT_STEERED = dict.fromkeys(("paused", "ended", "rate", "most_active", "challenge"))
AS_WISHED: dict[str, Any] = {"doors_open_at": DOORS, "starts_at": STARTS, "rate": 600, "most_active": 300}


def about(words: str) -> UUID:
    return an_id(f"web asks waitingroom: {words}")


def a_sale(event_id: UUID, **changes: Any) -> dict[str, Any]:
    """A sale that sells: 17 numbers are given, two people are in."""
    return {
        "event_id": str(event_id),
        "state": "selling",
        "doors_open_at": LONG_AGO,
        "starts_at": A_LITTLE_LATER,
        "rate": 600,
        "rate_now": 120.0,
        "most_active": 300,
        "seed_hash": sha256(SEED.encode()).hexdigest(),
        "seed": SEED,
        "serving": 2,
        "last_number": 17,
        "places_left": 40,
        "places_in_carts": 3,
        "challenge": False,
    } | changes


def an_announced_sale(event_id: UUID, **changes: Any) -> dict[str, Any]:
    """One whose doors are closed, as it was wished. Its seed is of the provider's own making."""
    made = {
        "seed_hash": matchers.text(sha256(SEED.encode()).hexdigest(), r"^[0-9a-f]{64}$"),
        "seed": matchers.nothing(),
    }
    numbers = {"rate_now": 600.0, "serving": 0, "last_number": 0}
    return a_sale(event_id, state="announced", **AS_WISHED, **made, **numbers, **NOTHING_KNOWN) | changes


def a_standing(entry_id: UUID, state: str, sale: dict[str, Any], **changes: Any) -> dict[str, Any]:
    empty = {name: matchers.nothing() for name in ("number", "until", "expected_seconds")}
    return {"entry_id": str(entry_id), "state": state, **empty, "sale": sale} | changes


@asynccontextmanager
async def refused(
    waitingroom: Asking[WaitingroomClient], words: str, state: State | None, asked: Ask, answer: Answer, code: str
) -> AsyncIterator[WaitingroomClient]:
    async with waitingroom.expects(words, state, asked, answer) as client:
        with pytest.raises(ProviderProblem) as refusal:
            yield client
        assert refusal.value.problem_code == code


async def test_a_sale_is_announced(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("announced")
    moments = {name: datetime.fromisoformat(AS_WISHED[name]) for name in ("doors_open_at", "starts_at")}
    async with waitingroom.expects(
        "the announcement of a sale",
        None,
        ask(ANNOUNCE_SALE, body=AS_WISHED, event_id=event_id),
        Answer(200, an_announced_sale(event_id)),
    ) as client:
        sale = await client.announce(event_id, Announcement(**moments, rate=600, most_active=300))
        assert (sale.state, sale.seed, sale.starts_at) == ("announced", None, datetime(2031, 6, 21, 18, tzinfo=UTC))


async def test_the_times_of_a_sale_that_has_begun_stay(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("begun")
    moments = {name: datetime.fromisoformat(AS_WISHED[name]) for name in ("doors_open_at", "starts_at")}
    asked = ask(ANNOUNCE_SALE, body=AS_WISHED, event_id=event_id)
    state = a_state("a sale that sells", event_id=event_id)
    answer = problem(409, "sale_has_begun")
    async with refused(waitingroom, "another announcement", state, asked, answer, "sale_has_begun") as client:
        await client.announce(event_id, Announcement(**moments, rate=600, most_active=300))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("announced", an_announced_sale(about("announced"))),
        (
            "open",
            {"state": "doors_open", "starts_at": STARTS, "seed": matchers.nothing(), "serving": 0, "last_number": 0}
            | NOTHING_KNOWN,
        ),
        ("that sells", {}),
        ("that is paused", {"state": "paused"}),
        ("that has ended", {"state": "ended"}),
    ],
)
async def test_a_sale_says_how_it_stands(
    waitingroom: Asking[WaitingroomClient], name: str, changes: dict[str, Any]
) -> None:
    event_id = about(f"a sale {name}")
    shown = a_sale(event_id) | changes | {"event_id": str(event_id)}
    words = f"a sale {name}" if name != "open" else "a sale whose doors are open"
    async with waitingroom.expects(
        f"how it stands: {words}",
        a_state(words, event_id=event_id),
        ask(GET_SALE, event_id=event_id),
        Answer(200, shown),
    ) as client:
        assert (await client.sale(event_id)).state == shown["state"]


@pytest.mark.parametrize(
    ("words", "wished", "changes"),
    [
        ("a pause", {"paused": True}, {"state": "paused"}),
        ("its end", {"ended": True}, {"state": "ended"}),
        ("a proof of work of whoever joins", {"challenge": True}, {"challenge": True}),
        ("another speed", {"rate": 90, "most_active": 50}, {"rate": 90, "rate_now": 90.0, "most_active": 50}),
    ],
)
async def test_a_sale_is_steered(
    waitingroom: Asking[WaitingroomClient], words: str, wished: dict[str, Any], changes: dict[str, Any]
) -> None:
    event_id = about(words)
    body = NOT_STEERED | wished
    async with waitingroom.expects(
        f"a sale is steered: {words}",
        a_state("a sale that sells", event_id=event_id),
        ask(STEER_SALE, body=body, event_id=event_id),
        Answer(200, a_sale(event_id, **changes)),
    ) as client:
        sale = await client.steer(event_id, Steering(**wished))
        assert {name: getattr(sale, name) for name in changes} == changes


async def test_a_sale_goes_on(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("goes on")
    body = NOT_STEERED | {"paused": False}
    async with waitingroom.expects(
        "a sale is steered: it goes on",
        a_state("a sale that is paused", event_id=event_id),
        ask(STEER_SALE, body=body, event_id=event_id),
        Answer(200, a_sale(event_id)),
    ) as client:
        assert (await client.steer(event_id, Steering(paused=False))).state == "selling"


async def test_who_joins_before_the_draw_is_equal(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("joined")
    begun = {"state": "doors_open", "starts_at": STARTS, "seed": matchers.nothing(), "serving": 0, "last_number": 0}
    entry_id = about("joined entry")
    standing = a_standing(entry_id, "equal", a_sale(event_id, **begun, **NOTHING_KNOWN))
    async with waitingroom.expects(
        "somebody joins",
        a_state("a sale whose doors are open", event_id=event_id),
        ask(JOIN_QUEUE, body=JOINING, event_id=event_id, person=about("joiner")),
        Answer(200, standing | {"entry_id": matchers.identifier(entry_id)}),
    ) as client:
        assert (await client.join(TOKEN, event_id, ADDRESS, None)).number is None


@pytest.mark.parametrize(
    ("words", "answer", "code"),
    [
        ("an event without a waiting room", problem(404, "sale_unknown"), "sale_unknown"),
        ("a sale announced", problem(409, "doors_closed", doors_open_at=DOORS), "doors_closed"),
        ("a sale that has ended", problem(410, "sale_ended"), "sale_ended"),
    ],
)
async def test_who_cannot_join_hears_why(
    waitingroom: Asking[WaitingroomClient], words: str, answer: Answer, code: str
) -> None:
    event_id = about(f"no joining, {words}")
    state = None if code == "sale_unknown" else a_state(words, event_id=event_id)
    asked = ask(JOIN_QUEUE, body=JOINING, event_id=event_id, person=about("joiner"))
    async with refused(waitingroom, f"somebody would join {words}", state, asked, answer, code) as client:
        await client.join(TOKEN, event_id, ADDRESS, None)


async def test_what_a_browser_is_to_compute_comes_as_altcha_writes_it(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("a challenge")
    async with waitingroom.expects(
        "what a browser is to compute",
        a_state("a sale that asks for a proof", event_id=event_id),
        ask(MAKE_CHALLENGE, event_id=event_id),
        Answer(200, {"puzzle": matchers.text(PUZZLE, PUZZLES)}),
    ) as client:
        assert json.loads(await client.puzzle(event_id))["parameters"]["keyLength"] == 32


@pytest.mark.parametrize(
    ("words", "answer", "code"),
    [
        ("an event without a waiting room", problem(404, "sale_unknown"), "sale_unknown"),
        ("a sale announced", problem(409, "doors_closed", doors_open_at=DOORS), "doors_closed"),
        ("a sale that has ended", problem(410, "sale_ended"), "sale_ended"),
        ("a sale that sells", problem(409, "no_challenge"), "no_challenge"),
    ],
)
async def test_where_nobody_is_asked_there_is_nothing_to_compute(
    waitingroom: Asking[WaitingroomClient], words: str, answer: Answer, code: str
) -> None:
    event_id = about(f"no challenge, {words}")
    state = None if code == "sale_unknown" else a_state(words, event_id=event_id)
    asked = ask(MAKE_CHALLENGE, event_id=event_id)
    async with refused(waitingroom, f"what a browser is to compute, {words}", state, asked, answer, code) as client:
        await client.puzzle(event_id)


async def test_a_shop_without_a_key_asks_for_no_proof(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("no key")
    asked = ask(STEER_SALE, body=NOT_STEERED | {"challenge": True}, event_id=event_id)
    state, answer = (
        a_state("a sale of a shop that has no key for challenges", event_id=event_id),
        problem(409, "no_challenge"),
    )
    async with refused(waitingroom, "a proof, without a key", state, asked, answer, "no_challenge") as client:
        await client.steer(event_id, Steering(challenge=True))


async def test_who_brings_what_was_computed_joins(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id, entry_id = about("joined with a proof"), about("joined with a proof, entry")
    standing = a_standing(entry_id, "equal", a_sale(event_id, challenge=True))
    async with waitingroom.expects(
        "somebody joins with what was computed",
        a_state("a sale that asks for a proof, and this one holds", event_id=event_id, solution=SOLUTION),
        ask(JOIN_QUEUE, body=JOINING | {"solution": SOLUTION}, event_id=event_id, person=about("who computed")),
        Answer(200, standing | {"entry_id": matchers.identifier(entry_id)}),
    ) as client:
        assert (await client.join(TOKEN, event_id, ADDRESS, SOLUTION)).sale.challenge is True


@pytest.mark.parametrize(
    ("state", "solution", "answer", "code"),
    [
        ("a sale that asks for a proof", None, problem(403, "challenge_missing"), "challenge_missing"),
        ("a sale that asks for a proof", SOLUTION, problem(422, "challenge_wrong"), "challenge_wrong"),
        ("a sale that asks for a proof", LATE, problem(410, "challenge_expired"), "challenge_expired"),
        (
            "a sale that asks for a proof, and this one was used",
            SOLUTION,
            problem(409, "challenge_used"),
            "challenge_used",
        ),
    ],
)
async def test_whose_proof_does_not_count_hears_why(
    waitingroom: Asking[WaitingroomClient], state: str, solution: str | None, answer: Answer, code: str
) -> None:
    event_id = about(code)
    given = {"event_id": event_id} | ({"solution": solution} if "this one" in state else {})
    asked = ask(JOIN_QUEUE, body=JOINING | {"solution": solution}, event_id=event_id, person=about("who computed"))
    async with refused(
        waitingroom, f"somebody would join: {code}", a_state(state, **given), asked, answer, code
    ) as client:
        await client.join(TOKEN, event_id, ADDRESS, solution)


async def test_an_address_brings_no_more_than_it_may(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id = about("full address")
    async with waitingroom.expects(
        "somebody joins from an address from which very many wait",
        a_state("a sale for which very many wait from one address", event_id=event_id, address=ADDRESS),
        ask(JOIN_QUEUE, body=JOINING, event_id=event_id, person=about("joiner")),
        problem(
            429,
            "too_many_from_address",
            headers={"Retry-After": matchers.text("60", r"^\d{1,3}$")},
            retry_after_seconds=matchers.integer(60, digits_max=3),
        ),
    ) as client:
        with pytest.raises(ProviderBusyForYou) as refusal:
            await client.join(TOKEN, event_id, ADDRESS, None)
        assert (refusal.value.problem_code, refusal.value.retry_after_seconds) == ("too_many_from_address", 60)


@pytest.mark.parametrize(
    ("state", "changes"),
    [
        ("waiting", {"number": 17, "expected_seconds": 7.5}),
        ("turn", {"number": 2, "until": matchers.from_now(TURN_SECONDS), "expected_seconds": 0.0}),
        ("inside", {"number": 2, "until": matchers.from_now(PASS_SECONDS), "expected_seconds": 0.0}),
        ("done", {"number": 2, "until": matchers.from_now(PASS_SECONDS), "expected_seconds": 0.0}),
        ("missed", {"number": 2, "until": "2026-01-05T10:45:00Z", "expected_seconds": 0.0}),
    ],
)
async def test_somebody_hears_how_they_stand(
    waitingroom: Asking[WaitingroomClient], state: str, changes: dict[str, Any]
) -> None:
    event_id, entry_id, person = about(f"sale of {state}"), about(f"entry of {state}"), about(f"person of {state}")
    async with waitingroom.expects(
        f"how somebody stands: {state}",
        a_state(f"somebody in a queue: {state}", event_id=event_id, entry_id=entry_id, person_id=person),
        ask(GET_STANDING, event_id=event_id, person=person),
        Answer(200, a_standing(entry_id, state, a_sale(event_id), **changes)),
    ) as client:
        standing = await client.standing(TOKEN, event_id)
        assert (standing.state, standing.number) == (state, changes["number"])


async def test_whose_turn_it_is_gets_a_pass(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id, entry_id, person = about("sale of pass"), about("entry of pass"), about("person of pass")
    token = matchers.text("e.y.J", r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")
    async with waitingroom.expects(
        "somebody comes in",
        a_state("somebody in a queue: turn", event_id=event_id, entry_id=entry_id, person_id=person),
        ask(COME_IN, event_id=event_id, person=person),
        Answer(200, {"token": token, "until": matchers.from_now(PASS_SECONDS)}),
    ) as client:
        assert (await client.come_in(TOKEN, event_id)).token == "e.y.J"


@pytest.mark.parametrize(
    ("state", "answer", "code"),
    [
        ("waiting", problem(409, "not_your_turn"), "not_your_turn"),
        ("missed", problem(410, "turn_missed"), "turn_missed"),
    ],
)
async def test_whose_turn_it_is_not_gets_none(
    waitingroom: Asking[WaitingroomClient], state: str, answer: Answer, code: str
) -> None:
    given = {name: about(f"{name}, no pass, {state}") for name in ("event_id", "entry_id", "person_id")}
    asked = ask(COME_IN, event_id=given["event_id"], person=given["person_id"])
    words = f"somebody would come in: {state}"
    async with refused(
        waitingroom, words, a_state(f"somebody in a queue: {state}", **given), asked, answer, code
    ) as client:
        await client.come_in(TOKEN, given["event_id"])


Question = Callable[[WaitingroomClient, UUID], Awaitable[object]]
OF_A_PERSON: list[tuple[str, Use[Any], Question]] = [
    ("how they stand", GET_STANDING, lambda client, event_id: client.standing(TOKEN, event_id)),
    ("a pass", COME_IN, lambda client, event_id: client.come_in(TOKEN, event_id)),
]
OF_ALL: list[tuple[str, Use[Any], Question]] = [
    ("how it stands", GET_SALE, lambda client, event_id: client.sale(event_id)),
    ("a pause", STEER_SALE, lambda client, event_id: client.steer(event_id, Steering(paused=True))),
    ("what was drawn", LIST_DRAWN, lambda client, event_id: client.drawn(event_id, None)),
]


@pytest.mark.parametrize(("what", "use", "question"), OF_A_PERSON)
async def test_who_has_not_joined_is_told_so(
    waitingroom: Asking[WaitingroomClient], what: str, use: Use[Any], question: Question
) -> None:
    event_id = about(f"not joined, {what}")
    asked = ask(use, event_id=event_id, person=about("nobody in the queue"))
    state, answer = a_state("a sale that sells", event_id=event_id), problem(404, "not_in_queue")
    words = f"somebody who has not joined wants {what}"
    async with refused(waitingroom, words, state, asked, answer, "not_in_queue") as client:
        await question(client, event_id)


@pytest.mark.parametrize(("what", "use", "question"), [*OF_A_PERSON, *OF_ALL])
async def test_an_event_without_a_waiting_room_has_none(
    waitingroom: Asking[WaitingroomClient], what: str, use: Use[Any], question: Question
) -> None:
    event_id = about(f"no waiting room, {what}")
    body = NOT_STEERED | {"paused": True}
    more: dict[str, Any] = {"person": about("somebody")} if use.person else {}
    more |= {"body": body} if use is STEER_SALE else {"query": {}} if use is LIST_DRAWN else {}
    asked = ask(use, event_id=event_id, **more)
    answer = problem(404, "sale_unknown")
    async with refused(waitingroom, f"{what}, of no waiting room", None, asked, answer, "sale_unknown") as client:
        await question(client, event_id)


async def test_what_was_drawn_can_be_drawn_again(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id, entries = about("drawn"), sorted((about("drawn, one"), about("drawn, other")), key=str)
    items = [{"entry_id": str(entry_id), "number": number} for entry_id, number in zip(entries, (2, 1), strict=True)]
    async with waitingroom.expects(
        "what was drawn",
        a_state("a sale whose lots were drawn", event_id=event_id, entries=items),
        ask(LIST_DRAWN, query={}, event_id=event_id),
        Answer(200, {"items": items, "next": matchers.nothing()}),
    ) as client:
        assert [each.number for each in (await client.drawn(event_id, None)).items] == [2, 1]


async def test_what_was_drawn_comes_in_pages(waitingroom: Asking[WaitingroomClient]) -> None:
    event_id, after = about("many drawn"), about("many drawn, after")
    item = {"entry_id": matchers.identifier(about("many drawn, one")), "number": matchers.integer(1)}
    async with waitingroom.expects(
        "the following page of what was drawn",
        a_state("a sale with more entries behind one than a page has", event_id=event_id, after=after),
        ask(LIST_DRAWN, query={"after": str(after)}, event_id=event_id),
        Answer(200, {"items": matchers.several(item), "next": matchers.identifier(about("many drawn, last"))}),
    ) as client:
        assert (await client.drawn(event_id, after)).next is not None
